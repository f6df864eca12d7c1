"""Configuration files: what is read, and what is said about mistakes."""

import json

import pytest
import yaml
from conftest import CONFIGS, make_config

from ditr_train.config.model_config import ConfigError, config_from_document, config_to_document, load_config

LOOP = {"steps": 1, "scans_per_step": 1, "learning_rate": 0.1}
ENCODER_LOOP = {"steps": 1, "images_per_step": 1, "learning_rate": 0.1}
SHIPPED = sorted(path for path in CONFIGS.glob("*.yaml") if path.suffixes == [".yaml"] and path.stem != "ablations")


@pytest.mark.parametrize("path", SHIPPED)
def test_shipped_configurations_load(path):
    assert load_config(path).name == path.stem


def test_a_configuration_survives_json(config):
    assert config_from_document(json.loads(json.dumps(config_to_document(config)))) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": {"grid_sise": 0.1}}, "grid_sise: unknown; known are grid_size"),
        ({"backbone": {"grid_size": "fine"}}, "config.backbone.grid_size: 'fine' is not a float"),
        ({"backbone": {"orders": ["z", "y"]}}, r"orders\[1\]: 'y' is not one of 'z'"),
        ({"backbone": {"point_range": [0, 0, 0]}}, "3 entries, 6 are needed"),
        ({"backbone": {"encoder": {"heads": [1, 2]}}}, "encoder.heads: 2 entries for 3 stages"),
        ({"backbone": {"encoder": {"channels": [12, 28, 36]}}}, "multiple of 6 channels, not 14 at stage 1"),
        ({"injection": {"levels": [0, 5]}}, "5 is not a stage of 0..2"),
        ({"injection": {"feature_dimension": 8}}, "8 is not the image encoder's 16"),
        ({"unlabeled_id": 3}, "3 is the id of unlabeled points"),
        ({"training": {"steps": True}}, "True is not a int"),
        ({"image_encoder": {"input_width": 50}}, "50 is not a multiple of 16"),
        (
            {"image_encoder": {"architecture": "dinov2_vits16"}},
            "'dinov2_vits16' is not one of vit, onnx, timm:NAME, dinov2_vits14",
        ),
        ({"image_encoder": {"architecture": "dinov2_vits14"}}, "patch_size: 16 is not 14, that of dinov2_vits14"),
        ({"image_encoder": {"depth": 0}}, "depth: 0 is not above 0"),
        ({"distillation": LOOP | {"scales": [2, 3]}}, r"scales: the largest of \[2, 3\] is not a multiple of each"),
        ({"distillation": LOOP | {"fixed_statistics": 1}}, r"distillation.fixed_statistics: 1.0 is not .* less than 1"),
        ({"distillation": LOOP | {"scales": []}}, r"scales: the largest of \[\] is not a multiple"),
        ({"encoder_training": ENCODER_LOOP | {"zoom": [0.5, 1.5]}}, "zoom: 0.5 to 1.5 is no range within 0..1"),
    ],
)
def test_a_mistake_is_named(change, message):
    document = config_to_document(make_config())

    def merge(target, update):
        for key, value in update.items():
            if isinstance(value, dict) and target[key] is not None:
                merge(target[key], value)
            else:
                target[key] = value

    merge(document, change)
    with pytest.raises(ConfigError, match=message):
        config_from_document(document)


def test_the_file_is_named(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump({"name": "x"}))
    with pytest.raises(ConfigError, match=r"wrong\.yaml: config\.description: missing"):
        load_config(path)


def test_a_file_stands_on_its_base_and_settings_on_both(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.classes.yaml").write_text("- {id: 1, name: road, color: [1, 2, 3]}\n")
    document = json.loads(json.dumps(config_to_document(make_config())))
    document["classes"] = "a.classes.yaml"
    document["training"] |= {"steps": 7, "learning_rate": 0.5}
    (tmp_path / "below" / "base.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "middle.yaml").write_text("base: below/base.yaml\ntraining: {steps: 8, augmentation: {drop: 0.3}}\n")
    (tmp_path / "top.yaml").write_text("base: middle.yaml\nname: top\nbackbone: {orders: [z]}\n")
    config = load_config(tmp_path / "top.yaml", ["training.augmentation.scale=[1, 1]", "injection=null"])
    assert config.name == "top" and config.classes[0].name == "road" and config.injection is None
    assert (config.training.steps, config.training.learning_rate) == (8, 0.5)
    assert (config.training.augmentation.drop, config.training.augmentation.scale) == (0.3, (1.0, 1.0))
    assert config.backbone.orders == ("z",)
    loop = "encoder_training={steps: 1, images_per_step: 1, learning_rate: 0.1}"
    config = load_config(tmp_path / "top.yaml", [loop, "encoder_training.steps=5"])
    assert config.encoder_training is not None and config.encoder_training.steps == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["training.stepz=3"], "config.training.stepz: unknown; known are steps"),
        (["training.steps"], "--set training.steps: not of the form"),
        (["training..steps=1"], "not of the form"),
        (["name.first=1"], "--set name.first=1: name has no settings"),
        (["training.steps=[1"], r"'\[1' is not a YAML value"),
        (["training.steps=many"], "config.training.steps: 'many' is not a int"),
    ],
)
def test_a_mistaken_setting_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        load_config(CONFIGS / "street-tiny.yaml", settings)


def test_of_several_bases_the_last_says_most(tmp_path):
    document = json.loads(json.dumps(config_to_document(make_config())))
    (tmp_path / "first.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "second.yaml").write_text("training: {steps: 5, augmentation: {drop: 0.3}}\ninjection: null\n")
    (tmp_path / "third.yaml").write_text("training: {steps: 6}\n")
    (tmp_path / "top.yaml").write_text("base: [first.yaml, second.yaml, third.yaml]\nname: top\n")
    config = load_config(tmp_path / "top.yaml")
    assert (config.name, config.training.steps, config.injection) == ("top", 6, None)
    assert config.training.augmentation.drop == 0.3
    for base in ("[]", "[first.yaml, 3]", "{}"):
        (tmp_path / "top.yaml").write_text(f"base: {base}\n")
        with pytest.raises(ConfigError, match=r"top\.yaml: base: .* does not name files"):
            load_config(tmp_path / "top.yaml")


def test_a_base_that_leads_back_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("base: b.yaml\n")
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    with pytest.raises(ConfigError, match=r"a.yaml is its own base"):
        load_config(tmp_path / "a.yaml")
