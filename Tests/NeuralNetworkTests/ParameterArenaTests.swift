import NeuralNetwork
import Testing

@Suite struct ParameterArenaTests {
  @Test func tensorsLieInOrderOnCacheLines() {
    var layout = ParameterLayout()
    let first = layout.add("a", shape: [3, 5])
    let second = layout.add("b", shape: [1])
    let third = layout.add("c", shape: [16])
    #expect([first.offset, second.offset, third.offset] == [0, 16, 32])
    #expect(layout.extent == 48)
    #expect(layout.parameterCount == 15 + 1 + 16)
    #expect(layout.entries.map(\.name) == ["a", "b", "c"])
  }

  @Test func tensorsAreViewsOfTheArena() throws {
    var layout = ParameterLayout()
    let entry = layout.add("a", shape: [2, 2])
    let arena = try ParameterArena(layout)
    arena.matrix(entry)[1, 1] = 7
    #expect(arena.values[3] == 7)
    #expect(arena.tensor(entry).last == 7)
    #expect(arena.values.count == layout.extent)
  }

  @Test func aVectorIsARow() throws {
    var layout = ParameterLayout()
    let entry = layout.add("bias", shape: [4])
    let matrix = try ParameterArena(layout).matrix(entry)
    #expect((matrix.rows, matrix.columns) == (1, 4))
  }
}
