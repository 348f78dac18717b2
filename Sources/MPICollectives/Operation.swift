/// One operation of a rank: numbers only, so that it fits into a message. Every rank makes the same operations in the
/// same order.
struct Operation: Hashable {
  /// From 1; 0 for none.
  var number = 0
  /// Index of the exchange among those made.
  var exchange = 0
  /// Global training step, from 0.
  var step = 0
}
