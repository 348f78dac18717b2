"""Trains the GAN in JAX, the whole loop jitted, and prints the milliseconds of a step.

Nothing returns to Python between the steps of a piece of the run; ten pieces are timed, and a step's time
is the median piece's, divided by its steps. XLA uses the processors that the process may run on.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np

from peer import (BETA1, BETA2, DROPOUT, NOISE, RATE, REAL, SLOPE, WARM_UP, WIDTHS_D, WIDTHS_G,
                  batches, images, parser, report, scaled)

PIECES = 10


def linear(key, inputs, outputs):
    weight = jax.random.normal(key, (inputs, outputs)) * np.sqrt(2 / inputs)
    return {"weight": weight, "bias": jnp.zeros(outputs)}


def networks(key):
    """The parameters of G and of D, and G's running statistics."""
    keys = iter(jax.random.split(key, 7))
    g = [linear(next(keys), *size) for size in zip(WIDTHS_G, WIDTHS_G[1:])]
    d = [linear(next(keys), *size) for size in zip(WIDTHS_D, WIDTHS_D[1:])]
    for layer, width in zip(g[:-1], WIDTHS_G[1:]):
        layer.update(scale=jnp.ones(width), shift=jnp.zeros(width))
    running = [{"mean": jnp.zeros(width), "variance": jnp.ones(width)} for width in WIDTHS_G[1:-1]]
    return g, d, running


def leaky(x):
    return jnp.where(x > 0, x, SLOPE * x)


def generate(g, running, x):
    """G in training mode: the images, and the running statistics after them."""
    moved = []
    for layer, old in zip(g, running):
        x = x @ layer["weight"] + layer["bias"]
        mean, variance = x.mean(0), x.var(0)
        unbiased = variance * (len(x) / (len(x) - 1))
        moved.append({"mean": 0.9 * old["mean"] + 0.1 * mean, "variance": 0.9 * old["variance"] + 0.1 * unbiased})
        x = (x - mean) * jax.lax.rsqrt(variance + 1e-5) * layer["scale"] + layer["shift"]
        x = leaky(x)
    return jnp.tanh(x @ g[-1]["weight"] + g[-1]["bias"]), moved


def discriminate(d, x, key):
    """D's logits."""
    for layer, key in zip(d, jax.random.split(key)):
        x = leaky(x @ layer["weight"] + layer["bias"])
        x = jnp.where(jax.random.bernoulli(key, 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0)
    return x @ d[-1]["weight"] + d[-1]["bias"]


def cross_entropy(logits, target):
    return jnp.mean(jnp.maximum(logits, 0) - logits * target + jnp.log1p(jnp.exp(-jnp.abs(logits))))


def adam(parameters, first, second, gradients, step):
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
    correction1, correction2 = 1 - BETA1**step, 1 - BETA2**step
    update = lambda p, m, v: p - RATE * (m / correction1) / (jnp.sqrt(v / correction2) + 1e-8)
    return jax.tree.map(update, parameters, first, second), first, second


def training_step(state, real):
    g, d, running, moments_g, moments_d, step, key = state
    step = step + 1
    key, *keys = jax.random.split(key, 5)
    noise_d, noise_g = (jax.random.normal(k, (len(real), NOISE)) for k in keys[:2])

    fake, running = generate(g, running, noise_d)

    def loss_of_d(d):
        # Real and fake rows in one matrix.
        logits = discriminate(d, jnp.concatenate([real, fake]), keys[2])
        on_real, on_fake = jnp.split(logits, 2)
        p_real, p_fake = jax.nn.sigmoid(on_real).mean(), jax.nn.sigmoid(on_fake).mean()
        return cross_entropy(on_real, REAL) + cross_entropy(on_fake, 0.0), (p_real, p_fake)

    (loss_d, means), gradients = jax.value_and_grad(loss_of_d, has_aux=True)(d)
    d, *moments_d = adam(d, *moments_d, gradients, step)

    def loss_of_g(g):
        fake, moved = generate(g, running, noise_g)
        return cross_entropy(discriminate(d, fake, keys[3]), 1.0), moved

    (loss_g, running), gradients = jax.value_and_grad(loss_of_g, has_aux=True)(g)
    g, *moments_g = adam(g, *moments_g, gradients, step)
    return (g, d, running, moments_g, moments_d, step, key), jnp.stack([loss_d, loss_g, *means])


def main():
    options = parser(__doc__).parse_args()
    real = jnp.asarray(scaled(images(options.data)))

    def run(state, real, rows):
        return jax.lax.scan(lambda state, rows: training_step(state, real[rows]), state, rows)

    run = jax.jit(run, donate_argnums=0)

    g, d, running = networks(jax.random.key(0))
    zeros = lambda tree: [jax.tree.map(jnp.zeros_like, tree) for _ in range(2)]
    state = (g, d, running, zeros(g), zeros(d), 0.0, jax.random.key(1))

    # All pieces, that of the warm-up too, have one length: the loop is compiled for it.
    length = options.steps // PIECES
    warm_up = -(-WARM_UP // length)
    rows = batches(len(real), options.batch_size, (warm_up + PIECES) * length)
    pieces = jnp.asarray(rows.reshape(-1, length, options.batch_size))
    seconds, sums = [], jnp.zeros(4)
    for piece in pieces:
        jax.block_until_ready(state)
        start = time.perf_counter()
        state, metrics = run(state, real, piece)
        jax.block_until_ready((state, metrics))
        seconds.append((time.perf_counter() - start) / length)
        sums += metrics.sum(0)
    report(seconds[warm_up:], sums / len(rows))


main()
