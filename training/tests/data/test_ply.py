"""PLY files written by hand, byte by byte."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from published_layouts import CUBE, CUBE_TRIANGLES, ply_bytes

from ditr_train.data.errors import DataError
from ditr_train.data.mesh import vertex_normals
from ditr_train.data.ply import read_ply

LAYOUTS = ("ascii", "binary_little_endian", "binary_big_endian")
KINDS = {
    "char": st.integers(-128, 127),
    "uchar": st.integers(0, 255),
    "short": st.integers(-(2**15), 2**15 - 1),
    "ushort": st.integers(0, 2**16 - 1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "uint": st.integers(0, 2**32 - 1),
    "float": st.floats(-1e6, 1e6, width=32),
    "double": st.floats(-1e300, 1e300),
}


@st.composite
def elements(draw):
    result = []
    for name in draw(st.lists(st.sampled_from(["vertex", "face", "edge"]), unique=True, min_size=1)):
        rows = draw(st.integers(0, 4))
        properties, columns = [], []
        for index in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from(sorted(KINDS)))
            if draw(st.booleans()):
                length = draw(st.integers(0, 3))
                properties.append((f"p{index}", draw(st.sampled_from(["uchar", "int"])), kind))
                value = st.lists(KINDS[kind], min_size=length, max_size=length)
            else:
                properties.append((f"p{index}", kind))
                value = KINDS[kind]
            columns.append([draw(value) for _ in range(rows)])
        result.append((name, properties, [*zip(*columns, strict=True)]))
    return result


@given(st.sampled_from(LAYOUTS), elements())
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read(tmp_path_factory, layout, written):
    path = tmp_path_factory.mktemp("ply") / "a.ply"
    path.write_bytes(ply_bytes(layout, written))
    read = read_ply(path)
    assert list(read) == [name for name, _, _ in written]
    for name, properties, rows in written:
        for column, entry in enumerate(properties):
            values = read[name][entry[0]]
            assert values.dtype.isnative and len(values) == len(rows)
            np.testing.assert_array_equal(values.tolist(), [row[column] for row in rows])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"solid cube", "it is no PLY file"),
        (b"ply\nformat binary 1.0\nend_header\n", r"the line 'format binary 1.0' of its header is not understood"),
        (b"ply\nproperty float x\nend_header\n", "the line 'property float x' of its header is not understood"),
        (b"ply\nelement vertex 1\nproperty float x\nend_header\n1\n", "its header names no format"),
        (
            b"ply\nformat ascii 1.0\nelement v 2\nproperty float x\nend_header\n1\n",
            "1 numbers are left for 2 rows of v of 1",
        ),
        (b"ply\nformat ascii 1.0\nelement v 1\nproperty float x\nend_header\none\n", "its body is not all numbers"),
        (
            b"ply\nformat binary_little_endian 1.0\nelement v 2\nproperty double x\nend_header\n12345678",
            "8 bytes are left for 2 rows of v of 8 bytes",
        ),
        (
            b"ply\nformat binary_little_endian 1.0\nelement f 1\nproperty list int int i\nend_header\n\x01\x00",
            "it ends within the first row of f",
        ),
        (
            b"ply\nformat ascii 1.0\nelement f 2\nproperty list uchar int i\nend_header\n1 7\n2 7\n",
            "the lists i of f are not all 1 long",
        ),
        (
            b"ply\nformat binary_little_endian 1.0\nelement f 2\nproperty list uchar char i\nend_header\n\x01a\x02bc",
            "the lists i of f are not all 1 long",
        ),
    ],
)
def test_a_malformed_file_is_named(tmp_path, content, message):
    path = tmp_path / "a.ply"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.ply: {message}"):
        read_ply(path)


def test_normals_of_a_cube_point_away_from_its_centre():
    xyz = np.array([*CUBE, (9, 9, 9)])
    normals = vertex_normals(xyz, np.array(CUBE_TRIANGLES))
    assert ((normals[:8] * (xyz[:8] - 0.5)) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(normals[:8], axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(normals[8], 0)


def test_normals_of_a_sheet_with_two_sides_cancel():
    xyz = np.array([(0.1, 0.2, 0.3), (1.7, 0.1, 0.9), (0.3, 1.1, 0.7), (2.0, 2.0, 2.0)])
    normals = vertex_normals(xyz, np.array([(0, 1, 2), (2, 1, 0)]))
    np.testing.assert_array_equal(normals, 0)


@given(st.integers(0, 2**32 - 1))
@example(671)
@settings(max_examples=20, deadline=None)
def test_normals_are_those_of_the_triangles_by_area(seed):
    rng = np.random.default_rng(seed)
    xyz, triangles = rng.normal(size=(12, 3)), rng.permuted(np.tile(np.arange(12), (9, 1)), axis=1)[:, :3]
    expected = np.zeros((12, 3))
    for triangle in triangles:
        a, b, c = xyz[triangle]
        normal = np.cross(b - a, c - a)
        area = np.linalg.norm(normal) / 2
        expected[triangle] += area * normal / np.linalg.norm(normal)
    length = np.linalg.norm(expected, axis=1, keepdims=True)
    normals = vertex_normals(xyz, triangles)
    np.testing.assert_allclose(normals, expected / np.where(length > 1e-9, length, np.inf), atol=1e-5)
