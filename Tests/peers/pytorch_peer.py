"""Trains the GAN in PyTorch and prints the milliseconds of a step.

The loops: 'careful' is what a user makes who wants speed on CPUs, 'notebook' is the notebook's as it stands, and
'distributed' the careful one in DistributedDataParallel on gloo, with a process for each rank. BatchNorm is that of
each rank's own rows there: PyTorch's SyncBatchNorm refuses CPU tensors.
"""

import os
import tempfile
import time
from itertools import islice, pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

from peer import (BETA1, BETA2, DROPOUT, NOISE, RATE, REAL, SLOPE, WARM_UP, WIDTHS_D, WIDTHS_G,
                  batches, images, parser, report, scaled)


def networks(*last):
    """G and D; what is in `last` is put behind D."""
    g, d = [], []
    for size in zip(WIDTHS_G[:-1], WIDTHS_G[1:-1]):
        g += [nn.Linear(*size), nn.BatchNorm1d(size[1]), nn.LeakyReLU(SLOPE)]
    for size in zip(WIDTHS_D[:-1], WIDTHS_D[1:-1]):
        d += [nn.Linear(*size), nn.LeakyReLU(SLOPE), nn.Dropout(DROPOUT)]
    g = nn.Sequential(*g, nn.Linear(*WIDTHS_G[-2:]), nn.Tanh())
    d = nn.Sequential(*d, nn.Linear(*WIDTHS_D[-2:]), *last)
    for layer in (*g, *d):
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return g, d


def optimizer(network, **how):
    return torch.optim.Adam(network.parameters(), lr=RATE, betas=(BETA1, BETA2), **how)


def report_steps(times, metrics):
    """`times` are those between the steps, from the first of the warm-up on."""
    report([after - before for before, after in pairwise(times[WARM_UP:])], metrics)


# ------------------------------------------------------------------ the careful loop, alone or distributed


def careful(options, rank=0, ranks=1):
    """Real and fake rows pass D together, no graph is made for what needs none, no number is read in between.

    Returns the times between the steps, and the means of the metrics.
    """
    torch.set_flush_denormal(True)
    g, d = networks()
    averaged_g, averaged_d = g, d
    if ranks > 1:
        # BatchNorm's running statistics remain each rank's own: copying rank 0's would only cost time.
        how = dict(forward_sync_buffers=False, gradient_as_bucket_view=True)
        averaged_g, averaged_d = DistributedDataParallel(g, **how), DistributedDataParallel(d, **how)
    adam_g, adam_d = optimizer(g, fused=True), optimizer(d, fused=True)

    real = torch.from_numpy(scaled(images(options.data)))
    order = torch.from_numpy(batches(len(real), options.batch_size, WARM_UP + options.steps))
    begin, end = rank * options.batch_size // ranks, (rank + 1) * options.batch_size // ranks
    rows = end - begin
    # DistributedDataParallel takes the mean over ranks, of which some may have a row more.
    weight = rows * ranks / options.batch_size
    target_d = torch.cat([torch.full((rows, 1), REAL), torch.zeros(rows, 1)])
    target_g = torch.ones(rows, 1)

    def train_d(images):
        adam_d.zero_grad()
        with torch.no_grad():
            fake = g(torch.randn(rows, NOISE))
        logits = averaged_d(torch.cat([images, fake]))
        loss = 2 * weight * cross_entropy(logits, target_d)  # two means of half the rows each
        loss.backward()
        adam_d.step()
        p_real, p_fake = logits.detach().sigmoid().view(2, rows).mean(1)
        return loss.detach(), p_real, p_fake

    def train_g():
        adam_g.zero_grad()
        d.requires_grad_(False)
        loss = weight * cross_entropy(d(averaged_g(torch.randn(rows, NOISE))), target_g)
        loss.backward()
        d.requires_grad_(True)
        adam_g.step()
        return loss.detach()

    times, sums = [time.perf_counter()], torch.zeros(4)
    for indices in order:
        loss_d, p_real, p_fake = train_d(real[indices[begin:end]])
        sums += torch.stack([loss_d, train_g(), p_real, p_fake])
        times.append(time.perf_counter())
    return times, sums / len(order)


def distributed(rank, options, rendezvous):
    """What the process of one rank does. Rank 0 reports."""
    processors = sorted(os.sched_getaffinity(0))
    if options.ranks <= len(processors):
        os.sched_setaffinity(0, processors[rank : rank + 1])
    torch.set_num_threads(options.threads)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.distributed.init_process_group("gloo", f"file://{rendezvous}", rank=rank, world_size=options.ranks)
    torch.manual_seed(rank)
    times, metrics = careful(options, rank, options.ranks)
    if rank == 0:
        report_steps(times, metrics)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


# ------------------------------------------------------------------ the notebook's loop


class Images(Dataset):
    """One image at a time is scaled, as by torchvision's transforms (but without their detour over PIL)."""

    def __init__(self, pixels):
        self.pixels = torch.tensor(pixels).view(-1, 1, 28, 28)

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        return (self.pixels[index].to(torch.float32).div(255) - 0.5) / 0.5


def notebook(options):
    g, d = networks(nn.Sigmoid())
    adam_g, adam_d, criterion = optimizer(g), optimizer(d), nn.BCELoss()
    loader = DataLoader(Images(images(options.data)), options.batch_size, shuffle=True, drop_last=True)

    def train_d(images):
        adam_d.zero_grad()
        count = images.size(0)
        on_real = d(images.view(-1, 784))
        loss_real = criterion(on_real, torch.full((count, 1), REAL))
        on_fake = d(g(torch.randn(count, NOISE)).detach())
        loss = loss_real + criterion(on_fake, torch.zeros(count, 1))
        loss.backward()
        adam_d.step()
        return loss.item(), on_real.mean().item(), on_fake.mean().item()

    def train_g(count):
        adam_g.zero_grad()
        loss = criterion(d(g(torch.randn(count, NOISE))), torch.ones(count, 1))
        loss.backward()
        adam_g.step()
        return loss.item()

    def epochs():
        while True:
            yield from loader

    times, sums = [time.perf_counter()], np.zeros(4)
    for images_of_step in islice(epochs(), WARM_UP + options.steps):
        loss_d, p_real, p_fake = train_d(images_of_step)
        sums += loss_d, train_g(len(images_of_step)), p_real, p_fake
        times.append(time.perf_counter())
    return times, sums / (len(times) - 1)


def main():
    options = parser(__doc__)
    options.add_argument("--loop", choices=["careful", "notebook", "distributed"], default="careful")
    options.add_argument("--ranks", type=int, default=1, help="processes of the distributed loop")
    options.add_argument("--threads", type=int, default=1, help="threads of a process")
    options.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    options = options.parse_args()
    if options.loop == "distributed":
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(distributed, (options, f"{folder}/rendezvous"), options.ranks)
        return
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.precision == "bfloat16":
        # Products of bfloat16 numbers, added up in float32; everything else remains float32.
        torch.set_float32_matmul_precision("medium")
    report_steps(*(notebook if options.loop == "notebook" else careful)(options))


if __name__ == "__main__":
    main()
