import Foundation
import GANTraining
import TestSupport
import Testing

@testable import Runs

/// metrics.csv of a run that goes on.
@Suite struct MetricsTableTests {
  private static let past = """
    [{"epoch": 1, "steps": 937, "seconds": 2.5, "imagesPerSecond": 23987.25, "means": {
      "discriminatorLoss": 0.1, "generatorLoss": 1.25, "probabilityOfReal": 0.7,
      "probabilityOfFake": 0.3}}]
    """

  @Test func itHasTheRowsOfThePastAndNoOthers() throws {
    let scratch = try TemporaryFolder()
    let folder = try RunFolder(path: scratch.folder.path, hostName: "here", undo: UndoList())
    let history = try JSONDecoder().decode([EpochRecord].self, from: Data(Self.past.utf8))
    try Data("of another past\n".utf8).write(to: scratch.url("metrics.csv"))
    let table = try MetricsTable(folder: folder, history: history)
    var next = history[0]
    (next.epoch, next.seconds) = (2, 0.0625)
    try table.append(next)
    let lines = String(decoding: try Data(contentsOf: scratch.url("metrics.csv")), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 4 && lines[0] == MetricsTable.header && lines[3] == "")
    #expect(lines[1] == "1,937,0.1,1.25,0.7,0.3,2.500,23987.2")
    #expect(lines[2] == "2,937,0.1,1.25,0.7,0.3,0.062,23987.2")
  }
}
