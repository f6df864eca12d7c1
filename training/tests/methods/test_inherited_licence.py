"""Licences go with weights, from bundles and runs to the runs that start from them or learn from them."""

import json
from argparse import Namespace
from dataclasses import replace

from conftest import make_config

from ditr_train.commands import arguments
from ditr_train.engine.run_folder import RunFolder

TERMS = "not for commercial use: trained on KITTI"


def begin(folder, config, **origins):
    options = Namespace(output=folder, estimate=None, tensorboard=False, resume=False, **origins)
    return arguments.new_run(options, config).config().licence


def test_a_run_has_the_licences_of_all_that_it_comes_from(tmp_path, capsys):
    bundle, published = tmp_path / "bundle", tmp_path / "published"
    bundle.mkdir()
    (bundle / "bundle.json").write_text(json.dumps({"licence": TERMS}))
    published.mkdir()
    config = make_config()
    assert begin(tmp_path / "a", config, initialize=None, encoder=published) == ""
    assert capsys.readouterr().out == ""
    assert begin(tmp_path / "b", config, initialize=bundle, encoder=bundle) == TERMS
    assert capsys.readouterr().out == f"licence of {tmp_path / 'b'}: {TERMS}\n"
    # From a run as from a bundle, beside the configuration's own, and not twice.
    own = replace(config, licence="CC BY 4.0")
    assert begin(tmp_path / "c", own, teacher=tmp_path / "b") == f"CC BY 4.0; {TERMS}"
    assert begin(tmp_path / "d", config, init=tmp_path / "c", encoder=bundle) == f"CC BY 4.0; {TERMS}"
    assert RunFolder(tmp_path / "d").config() == replace(config, licence=f"CC BY 4.0; {TERMS}")
