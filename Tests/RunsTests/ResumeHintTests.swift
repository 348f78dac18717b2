import Testing

@testable import Runs

/// Words that are pasted into a shell.
@Suite struct ResumeHintTests {
  @Test(arguments: [
    ("runs/a_b-1.5", "runs/a_b-1.5"), ("", "''"), ("two words", "'two words'"), ("$x", "'$x'"),
    ("it's", #"'it'\''s'"#), ("a\nb'\\", #"$'a\012b\047\134'"#), ("\u{7F}ü", #"$'\177\303\274'"#),
  ])
  func aWordIsTakenBackByTheShell(word: String, quoted: String) {
    #expect(ResumeHint.quoted(word) == quoted)
  }

  @Test func aFolderThatLooksLikeAnOptionIsTheValueOfOne() {
    func end(_ folder: String) -> Bool {
      let hint = ResumeHint.command(folder: folder, options: ["--threads", "2"], rankCount: 1)
      let out = folder.hasPrefix("-") ? "--out=\(folder)" : "--out \(folder)"
      return hint.hasSuffix(" --threads 2 --resume latest \(out)")
    }
    #expect(end("-x"))
    #expect(end("x"))
  }
}
