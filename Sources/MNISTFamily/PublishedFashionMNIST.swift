import Files

/// FashionMNIST as published: what its files hash to and what its labels mean.
enum PublishedFashionMNIST {
  /// One of the two sets published.
  enum Part: Equatable, Sendable {
    case training
    case test
  }

  /// Names of labels 0 to 9.
  static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// SHA-256 of the uncompressed files; the compressed ones differ between distributors.
  private static let digests: [(part: Part, images: ContentDigest, labels: ContentDigest)] = [
    (
      .training,
      ContentDigest(hex: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
      ContentDigest(hex: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9")
    ),
    (
      .test,
      ContentDigest(hex: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
      ContentDigest(hex: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34")
    ),
  ]

  /// The part with these digests, if it is one of the two published.
  static func part(images: ContentDigest, labels: ContentDigest) -> Part? {
    digests.first { $0.images == images && $0.labels == labels }?.part
  }
}
