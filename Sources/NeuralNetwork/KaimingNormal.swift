import Randomness

/// He et al.'s initialisation (2015): weights from N(0, 2 / inputSize); PyTorch's `kaiming_normal_`.
extension Linear.Parameters {
  /// Draws the weights from `stream`, with the layer's index in the place of the step; biases become 0.
  public func initialize(
    _ values: ParameterArena, from random: RandomSource, stream: UInt32, layerIndex: Int
  ) {
    let weights = values.matrix(weight)
    random.fillNormals(weights, stream: stream, step: layerIndex, firstSample: 0)
    let deviation = Float((2 / Double(inputSize)).squareRoot())
    for index in weights.buffer.indices { weights.buffer[index] *= deviation }
    values.matrix(bias).buffer.update(repeating: 0)
  }
}

extension BatchNorm.Parameters {
  /// Scale 1, shift 0.
  public func initialize(_ values: ParameterArena) {
    values.matrix(scale).buffer.update(repeating: 1)
    values.matrix(shift).buffer.update(repeating: 0)
  }

  /// Running mean 0, running variance 1.
  public func initializeBuffers(_ buffers: ParameterArena) {
    buffers.matrix(runningMean).buffer.update(repeating: 0)
    buffers.matrix(runningVariance).buffer.update(repeating: 1)
  }
}
