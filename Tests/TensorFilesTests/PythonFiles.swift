import Foundation

/// Files made by the Python packages: safetensors 0.8.0 and NumPy 2.4.6.
enum PythonFiles {
  /// The bytes of a fixture.
  static func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64) ?? Data()) }

  // import base64, io, numpy as np
  // from safetensors.numpy import save
  // base64.b64encode(save({
  //     "weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
  //     "steps": np.array([-1, 2**40], dtype=np.int64),
  //     "one": np.array(7, dtype=np.uint8),
  //     "none": np.zeros((0, 4), np.float16)}, metadata={"format": "np", "ä\n": '"\\'}))
  static let safetensors = bytes(
    """
    IAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCIsIsOkXG4iOiJcIlxcIn0sInN0ZXBzIjp7ImR0\
    eXBlIjoiSTY0Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMCwxNl19LCJ3ZWlnaHQiOnsiZHR5cGUiOiJG\
    MzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzE2LDQwXX0sIm5vbmUiOnsiZHR5cGUiOiJGMTYiLCJz\
    aGFwZSI6WzAsNF0sImRhdGFfb2Zmc2V0cyI6WzQwLDQwXX0sIm9uZSI6eyJkdHlwZSI6IlU4Iiwic2hhcGUiOltd\
    LCJkYXRhX29mZnNldHMiOls0MCw0MV19fSAgICAgICD//////////wAAAAAAAQAAAAAAAAAAgD4AAAA/AABAPwAA\
    gD8AAKA/Bw==
    """)

  // def npy(array, version=None):
  //     file = io.BytesIO()
  //     np.lib.format.write_array(file, array, version=version)
  //     return base64.b64encode(file.getvalue())

  // npy(np.arange(6, dtype="<f4").reshape(2, 3) / 4)
  static let float32 = bytes(
    """
    k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMp\
    LCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAA\
    AACAPgAAAD8AAEA/AACAPwAAoD8=
    """)

  // npy(np.array([0.1, -1e300, 3.5]), (2, 0))
  static let float64Version2 = bytes(
    """
    k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywp\
    LCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqamZmZ\
    mZm5P5x1AIg85Df+AAAAAAAADEA=
    """)

  // npy(np.asfortranarray(np.arange(6, dtype="<f4").reshape(2, 3)))
  static let columnsFirst = bytes(
    """
    k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyks\
    IH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAA\
    AABAQAAAgD8AAIBAAAAAQAAAoEA=
    """)

  // npy(np.arange(3, dtype="<i4"))
  static let integers = bytes(
    """
    k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwg\
    fSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAA\
    AQAAAAIAAAA=
    """)
}
