import Files
import Testing

@Suite struct ContentDigestTests {
  // printf '' | sha256sum; printf 'abc' | sha256sum
  static let known = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ]

  @Test(arguments: known)
  func knownDigests(text: String, hex: String) {
    let digest = Array(text.utf8).withUnsafeBytes { ContentDigest(of: $0) }
    #expect(digest.hex == hex)
  }

  @Test func piecesAreAsGoodAsTheWhole() {
    var hasher = ContentDigest.Hasher()
    hasher.update("a")
    hasher.update("")
    hasher.update("bc")
    let digest = hasher.finish()
    #expect(digest == ContentDigest(hex: Self.known[1].1))
  }

  @Test func theShortFormIsTheStart() {
    #expect(ContentDigest(hex: Self.known[1].1).short == "ba7816bf8f01cfea")
  }
}
