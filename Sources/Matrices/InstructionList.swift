import Timelines

/// One thing that a worker does in a step: a function, and the numbers and addresses that it works with.
///
/// Nothing is allocated or counted when it runs.
struct Instruction: BitwiseCopyable {
  let function: InstructionList.Function
  let operands: UnsafeRawPointer
  let kind: Timeline.Kind
  /// Index of the name of the layer's pass or the step's part that it belongs to; negative for none.
  let name: Int
}

/// What one worker does between two barriers, planned once and run in every step.
///
/// A worker is a thread of a rank. It writes only what is its own until the next barrier: its rows, or its outputs.
public final class InstructionList {
  /// Does one thing with the operands that were given to ``append(_:_:_:)``, in a global training step (from 0).
  public typealias Function = @convention(c) (_ operands: UnsafeRawPointer, _ step: Int) -> Void

  /// Which of its rank's threads the worker is.
  public let thread: Int
  /// Memory that only this worker uses.
  public let workspace = Workspace()
  /// What the next instructions are a part of, in a trace.
  public var name = -1
  var instructions: [Instruction] = []
  public var isEmpty: Bool { instructions.isEmpty }
  private var operands: [UnsafeMutableRawPointer] = []

  public init(thread: Int = 0) { self.thread = thread }

  deinit {
    for operands in operands { operands.deallocate() }
  }

  /// Adds an instruction.
  /// - Parameters:
  ///   - kind: what its time is spent on.
  ///   - operands: numbers and addresses of memory that lives as long as the list.
  ///   - function: is given a pointer to the operands.
  public func append<Operands: BitwiseCopyable>(
    _ kind: Timeline.Kind, _ operands: Operands, _ function: Function
  ) {
    let memory = UnsafeMutablePointer<Operands>.allocate(capacity: 1)
    memory.initialize(to: operands)
    self.operands.append(memory)
    instructions.append(
      Instruction(function: function, operands: memory, kind: kind, name: name))
  }

  /// Adds instructions under a name of their own.
  public func named(_ name: Int, _ add: () throws -> Void) rethrows {
    let outer = self.name
    self.name = name
    defer { self.name = outer }
    try add()
  }
}

/// What the threads of a rank do between two barriers: each its own list, at the same time.
public struct Phase: ~Copyable {
  private struct Piece: BitwiseCopyable {
    let instructions: UnsafeMutableBufferPointer<Instruction>
  }
  private struct Context: BitwiseCopyable {
    let pieces: UnsafePointer<Piece>
    let step: Int
  }

  private let pieces: UnsafeMutableBufferPointer<Piece>
  /// Keep the instructions' memory.
  private let lists: [InstructionList]

  /// - Parameter lists: a list a thread.
  public init(_ lists: [InstructionList]) {
    self.lists = lists
    pieces = .allocate(capacity: lists.count)
    for (index, list) in lists.enumerated() {
      let instructions = UnsafeMutableBufferPointer<Instruction>.allocate(
        capacity: list.instructions.count)
      _ = instructions.initialize(from: list.instructions)
      pieces.initializeElement(at: index, to: Piece(instructions: instructions))
    }
  }

  deinit {
    for piece in pieces { piece.instructions.deallocate() }
    pieces.deallocate()
  }

  /// Does what the phase is; the caller's thread has the first list.
  /// - Parameter step: global training step, from 0.
  public func run(step: Int = 0) {
    guard let base = pieces.baseAddress else { return }
    WorkTeam.share(
      { context, begin, end in
        let context = context.assumingMemoryBound(to: Context.self).pointee
        for thread in begin..<end {
          let instructions = context.pieces[thread].instructions
          if Timeline.isRecording {
            Phase.record(instructions, thread: thread, step: context.step)
          } else {
            for instruction in instructions {
              instruction.function(instruction.operands, context.step)
            }
          }
        }
      }, of: pieces.count, with: Context(pieces: UnsafePointer(base), step: step))
  }

  /// The same, and notes when what was done: neighbours of one kind together.
  private static func record(
    _ instructions: UnsafeMutableBufferPointer<Instruction>, thread: Int,
    step: Int
  ) {
    var place = 0
    while place < instructions.count {
      let name = instructions[place].name
      Timeline.record(.passage, name, thread: thread) {
        while place < instructions.count, instructions[place].name == name {
          let kind = instructions[place].kind
          Timeline.record(kind, thread: thread) {
            while place < instructions.count, instructions[place].name == name,
              instructions[place].kind == kind
            {
              instructions[place].function(instructions[place].operands, step)
              place += 1
            }
          }
        }
      }
    }
  }
}
