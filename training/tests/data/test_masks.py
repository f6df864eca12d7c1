"""Masks of images: SAM's files in each of their forms, which mask wins where several overlap, and SAM itself."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import torchvision_operators  # noqa: F401
from conftest import make_config, replace
from hypothesis import given, settings
from PIL import Image
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.data.automatic_masks import AutomaticMasks
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage
from ditr_train.data.loading import camera_images
from ditr_train.data.masks import flattened, read_mask_file, read_mask_folder
from ditr_train.data.regions import RegionFolder


def run_lengths(mask):
    """COCO's uncompressed run lengths, written from its definition: runs of 0, 1, 0, ... down the columns."""
    counts, value = [0], 0
    for pixel in mask.T.ravel().astype(int):
        if pixel == value:
            counts[-1] += 1
        else:
            counts.append(1)
            value = pixel
    return counts


def compressed(counts):
    """The text of run lengths as rleToString of COCO's maskApi.c has it: differences to the run two before, five bits
    a letter."""
    text = ""
    for i, count in enumerate(counts):
        x = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            letter = x & 0x1F
            x >>= 5
            more = x != -1 if letter & 0x10 else x != 0
            text += chr((letter | 0x20 if more else letter) + 48)
    return text


def some_masks(rng, shape=(23, 31)):
    masks = []
    for _ in range(6):
        top, left = rng.integers(0, 15, 2)
        height, width = rng.integers(1, 16, 2)
        mask = np.zeros(shape, bool)
        mask[top : top + height, left : left + width] = (
            rng.uniform(size=mask[top : top + height, left : left + width].shape) < 0.9
        )
        masks.append(mask)
    return [mask for mask in masks if mask.any()]


def by_pixels(masks):
    """The rule, pixel by pixel: the smallest mask that holds it, of equal ones the last."""
    area = [int(mask.sum()) for mask in masks]
    owner = np.full(masks[0].shape, -1)
    for y, x in np.ndindex(*owner.shape):
        inside = [number for number, mask in enumerate(masks) if mask[y, x]]
        if inside:
            owner[y, x] = min(inside, key=lambda number: (area[number], -number))
    return owner


def same_partition(ids, owner):
    assert ids.dtype == np.uint16
    np.testing.assert_array_equal(ids == 0, owner == -1)
    pairs = {(int(i), int(o)) for i, o in zip(ids[ids > 0], owner[owner >= 0], strict=True)}
    assert len(pairs) == len({i for i, _ in pairs}) == len({o for _, o in pairs})
    assert sorted({i for i, _ in pairs}) == list(range(1, len(pairs) + 1))


def test_the_smaller_of_overlapping_masks_wins():
    large, small, equal = np.zeros((3, 4, 5), bool)
    large[:, :4] = True
    small[1, 2:] = True
    equal[1, :3] = True
    expected = [[1, 1, 1, 1, 0], [3, 3, 3, 2, 2], [1, 1, 1, 1, 0], [1, 1, 1, 1, 0]]
    assert flattened([large, small, equal]).tolist() == expected
    assert flattened([small, equal, large])[1].tolist() == [2, 2, 2, 1, 1]
    hidden = small.copy()
    hidden[0, 0] = True
    assert flattened([small, hidden & large, small])[1].tolist() == [0, 0, 2, 2, 2]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_overlaps_are_resolved_pixel_by_pixel_in_the_same_way(seed):
    masks = some_masks(np.random.default_rng(seed))
    same_partition(flattened(masks), by_pixels(masks))


@pytest.mark.parametrize("form", ["compressed", "uncompressed"])
@pytest.mark.parametrize("layout", ["generator", "sa-1b"])
def test_masks_in_json_are_read(tmp_path, rng, form, layout):
    masks = some_masks(rng)
    counts = [run_lengths(mask) for mask in masks]
    entries = [
        {
            "segmentation": {"size": [23, 31], "counts": compressed(c) if form == "compressed" else c},
            "area": int(m.sum()),
        }
        for c, m in zip(counts, masks, strict=True)
    ]
    document = entries
    if layout == "sa-1b":
        image = {"image_id": 7, "width": 31, "height": 23, "file_name": "sa_7.jpg"}
        document = {"image": image, "annotations": [entry | {"id": i} for i, entry in enumerate(entries)]}
    path = tmp_path / "sa_7.json"
    path.write_text(json.dumps(document))
    same_partition(read_mask_file(path), by_pixels(masks))


def test_masks_that_are_pictures_are_read(tmp_path, rng):
    masks = [*some_masks(rng), *some_masks(rng)]
    for number, mask in enumerate(masks):
        Image.fromarray(mask if number % 2 else mask.astype(np.uint8) * 255).save(tmp_path / f"{number}.png")
    (tmp_path / "metadata.csv").write_text("id,area\n")
    same_partition(read_mask_folder(tmp_path), by_pixels(masks))


def test_a_region_folder_takes_each_form_but_one_for_an_image(tmp_path, rng):
    masks = some_masks(rng)
    folder, image = RegionFolder(tmp_path), CameraImage(17, b"", None, "/front")
    stem = tmp_path / "drive" / "front"
    stem.mkdir(parents=True)
    entries = [{"segmentation": {"size": [23, 31], "counts": run_lengths(mask)}} for mask in masks]
    (stem / "17.json").write_text(json.dumps(entries))
    ids = folder.ids("drive.mcap", image)
    same_partition(ids, by_pixels(masks))
    (stem / "17").mkdir()
    with pytest.raises(DataError, match=r"17\.json and 17 both say what the regions of the image are; leave one"):
        folder.ids("drive.mcap", image)
    (stem / "17.json").unlink()
    for number, mask in enumerate(masks):
        Image.fromarray(mask).save(stem / "17" / f"{number}.png")
    np.testing.assert_array_equal(folder.ids("drive.mcap", image), ids)
    assert folder.path("", replace(image, name="nuscenes/samples/CAM_FRONT/a.b")) == (
        tmp_path / "nuscenes/samples/CAM_FRONT/a.b.png"
    )


def test_files_without_masks_are_refused(tmp_path):
    path = tmp_path / "a.json"

    def refused(text):
        path.write_text(text)
        with pytest.raises(DataError) as caught:
            read_mask_file(path)
        assert str(caught.value).startswith(str(path))
        return str(caught.value)

    assert "Expecting value" in refused("masks")
    assert 'nor an object with "annotations", as in SA-1B' in refused('{"masks": []}')
    assert "an empty list of masks does not say how large" in refused("[]")
    assert "mask 0: KeyError('segmentation'), `segmentation` is no run lengths" in refused('[{"mask": 1}]')
    assert "mask 0: its run lengths add up to 5, not 2 x 3" in refused(
        '[{"segmentation": {"size": [2, 3], "counts": [2, 3]}}]'
    )
    mask = {"segmentation": {"size": [2, 3], "counts": [2, 4]}}
    assert "mask 0 is 3 x 2, the image 4 x 2" in refused(
        json.dumps({"image": {"height": 2, "width": 4}, "annotations": [mask]})
    )
    other = {"segmentation": {"size": [3, 2], "counts": [2, 4]}}
    assert "2 masks of 2 sizes are no masks of an image" in refused(json.dumps([mask, other]))
    path.write_text('{"image": {"height": 2, "width": 3}, "annotations": []}')
    assert read_mask_file(path).tolist() == [[0, 0, 0], [0, 0, 0]]
    with pytest.raises(DataError, match="0 masks of 0 sizes"):
        read_mask_folder(tmp_path)
    Image.new("RGB", (3, 2)).save(tmp_path / "0.png")
    with pytest.raises(DataError, match=r"0\.png: 3 dimensions, a mask is a grey or black and white picture"):
        read_mask_folder(tmp_path)


def tiny_sam(folder, kind):
    """A checkpoint of random weights in the layout of facebook/sam-vit-base or facebook/sam2.1-hiera-small."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    if kind == "sam":
        config = transformers.SamConfig(
            vision_config={
                "hidden_size": 16, "output_channels": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
                "image_size": 64, "patch_size": 8, "window_size": 2, "global_attn_indexes": [0], "mlp_dim": 16,
                "num_pos_feats": 4,
            },
            prompt_encoder_config={"hidden_size": 8, "image_size": 64, "patch_size": 8, "mask_input_channels": 4},
            mask_decoder_config={
                "hidden_size": 8, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
                "attention_downsample_rate": 2, "iou_head_depth": 1, "iou_head_hidden_dim": 8,
            },
        )  # fmt: skip
        model, size = transformers.SamModel(config), {"longest_edge": 64}
        processor = transformers.SamImageProcessor(
            size=size, pad_size={"height": 64, "width": 64}, mask_size={"longest_edge": 16}
        )
    else:
        config = transformers.Sam2Config(
            vision_config=transformers.Sam2VisionConfig(
                backbone_config=transformers.Sam2HieraDetConfig(
                    hidden_size=8, num_attention_heads=1, image_size=[64, 64], patch_kernel_size=[7, 7],
                    blocks_per_stage=[1, 1, 1, 1], embed_dim_per_stage=[8, 16, 32, 64],
                    num_attention_heads_per_stage=[1, 1, 1, 1], window_size_per_stage=[2, 2, 2, 2],
                    global_attention_blocks=[], window_positional_embedding_background_size=[2, 2],
                ),
                backbone_channel_list=[64, 32, 16, 8], backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
                fpn_hidden_size=16,
            ),
            prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4},
            mask_decoder_config={
                "hidden_size": 16, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
                "iou_head_depth": 1, "iou_head_hidden_dim": 8,
            },
        )  # fmt: skip
        model = transformers.Sam2Model(config)
        processor = transformers.Sam2ImageProcessor(
            size={"height": 64, "width": 64}, mask_size={"height": 16, "width": 16}
        )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["sam", "sam2"])
def test_a_sam_of_transformers_is_loaded_and_asked(tmp_path, rng, kind, monkeypatch):
    monkeypatch.setattr(pytest.importorskip("torchvision").ops.boxes, "_assert_has_ops", lambda: None)
    model = tiny_sam(tmp_path, kind)
    masks = AutomaticMasks(str(tmp_path), torch.device("cpu"), points_per_side=2)
    loaded = masks._generate.model.state_dict()
    assert loaded.keys() == model.state_dict().keys()
    assert all(torch.equal(value, loaded[name]) for name, value in model.state_dict().items())
    # Random weights: no mask is stable. What the pipeline makes of the grid is asked for with low thresholds.
    rgb = rng.integers(0, 256, (48, 64, 3)).astype(np.uint8)
    ids = masks.ids(rgb, smallest=1)
    assert ids.shape == (48, 64) and ids.dtype == np.uint16
    asked = []
    pipeline = masks._generate

    def lenient(image, **options):
        asked.append(options)
        found = pipeline(image, pred_iou_thresh=-10.0, stability_score_thresh=-1.0, crops_nms_thresh=1.0, **options)
        asked.append([np.asarray(mask, bool) for mask in found["masks"]])
        return found

    masks._generate = lenient
    ids = masks.ids(rgb, smallest=20)
    assert asked[0] == {"points_per_crop": 2}
    kept = [mask for mask in asked[1] if mask.sum() >= 20]
    assert kept and kept[0].shape == (48, 64)
    same_partition(ids, by_pixels(kept))


def test_the_command_runs_sam_and_goes_on_where_it_stopped(tmp_path, capsys, monkeypatch):
    write_config(tmp_path / "config.yaml")
    write_samples(tmp_path / "a", 2, seed=5, with_labels=False)
    command = ["regions", str(tmp_path / "config.yaml"), "--bags", str(tmp_path / "a"), "--sam", str(tmp_path / "sam")]
    command += ["-o", str(tmp_path / "regions"), "--device", "cpu", "--points-per-side", "1"]
    assert main(command) == 2
    assert f"{tmp_path / 'sam'}: it cannot be loaded as a SAM or SAM 2" in capsys.readouterr().err
    tiny_sam(tmp_path / "sam", "sam")
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("2 images, ")
    files = sorted((tmp_path / "regions").rglob("*.png"))
    assert len(files) == 2
    files[0].unlink()
    assert main(command) == 0
    assert "1 images, " in (printed := capsys.readouterr().out) and printed.endswith("; 1 were there\n")
    assert sorted((tmp_path / "regions").rglob("*.png")) == files
    config = make_config()
    assert RegionFolder(tmp_path / "regions").ids("a.mcap", _images(tmp_path / "a", config)[0]).shape == (64, 96)


def _images(folder, config):
    return [image for _, image in camera_images(folder, config)]
