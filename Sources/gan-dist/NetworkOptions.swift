import ArgumentParser
import Collectives

/// How hosts exchange sums.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Whose collective operations add up between hosts: own (default), or mpi.",
      discussion: """
        mpi is for networks that add up in hardware: each host adds up its rows, and MPI_Iallreduce the rest. Results \
        then depend on how many hosts there are, in their last digits. That all hosts have the same ones is checked \
        after each epoch. On one host it changes nothing.
        """, valueName: "own|mpi"))
  var collectives = NetworkCollectives.own
}

extension NetworkCollectives: ExpressibleByArgument {}
