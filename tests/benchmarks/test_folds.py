"""What may be learned from never holds the task's own series."""

import pytest
import sample_tasks

from benchmarks import folds, tasks

pytestmark = pytest.mark.unit


@pytest.fixture
def asked(tmp_path):
    return tasks.read(sample_tasks.write(tmp_path / "t.csv", sample_tasks.all_rows()))


def test_no_curve_of_a_tasks_place_is_learned_from_whatever_its_family(asked):
    found = folds.folds("places", asked, sample_tasks.curves())
    for fold in found:
        left_out = {folds.place(asked[number], sample_tasks.curves()) for number in fold.tasks}
        assert left_out and not left_out & {folds.slug(curve.geo) for curve in fold.curves}
    assert sorted(number for fold in found for number in fold.tasks) == list(range(len(asked)))


def test_a_family_may_be_named_when_other_places_taught_it(asked):
    for fold in folds.folds("places", asked, sample_tasks.curves()):
        assert [one.reference_class for one in fold.histories(asked)] == [asked[i].family for i in fold.tasks]


def test_a_family_that_no_curve_teaches_is_not_named(asked):
    without = [curve for curve in sample_tasks.curves() if curve.reference_class != "looms"]
    for fold in folds.folds("places", asked, without):
        assert "looms" not in {one.reference_class for one in fold.histories(asked)}


def test_no_curve_of_a_tasks_family_is_learned_from_and_it_is_not_named(asked):
    found = folds.folds("families", asked, sample_tasks.curves())
    assert len(found) == len(sample_tasks.FAMILIES)
    for fold in found:
        (family,) = {asked[number].family for number in fold.tasks}
        assert fold.curves and family not in {curve.reference_class for curve in fold.curves}
        assert {one.reference_class for one in fold.histories(asked)} == {""}


def test_families_of_one_wave_are_left_out_together(asked, monkeypatch):
    monkeypatch.setitem(folds.WAVES, "looms", "kites")
    found = folds.folds("families", asked, sample_tasks.curves())
    assert len(found) == len(sample_tasks.FAMILIES) - 1
    (both,) = [fold for fold in found if {asked[number].family for number in fold.tasks} == {"looms", "kites"}]
    assert not {"looms", "kites"} & {curve.reference_class for curve in both.curves}


def test_the_same_thing_at_another_spacing_is_left_out_with_its_family(asked):
    twin = sample_tasks.curve("radios", "utopia", series_id="looms__everywhere")
    for fold in folds.folds("families", asked, [*sample_tasks.curves(), twin]):
        if asked[fold.tasks[0]].family == "looms":
            assert twin not in fold.curves


def test_a_place_that_no_curve_is_of_is_forecast_with_all_of_them(asked):
    without = [curve for curve in sample_tasks.curves() if curve.geo != "Utopia"]
    last = folds.folds("places", asked, without)[-1]
    assert {asked[number].name.split("__")[1] for number in last.tasks} == {"utopia"}
    assert last.curves == tuple(without)


def test_a_place_under_another_name_is_the_same_place(asked):
    assert folds.slug("USA") == folds.slug("United States")
    assert folds.slug("Saint Kitts and Nevis") == folds.slug("St. Kitts and Nevis")


def test_totals_that_hold_other_places_teach_nothing_about_them(asked):
    total = sample_tasks.curve("radios", "utopia", series_id="radios__total", geo="World")
    assert all(total not in fold.curves for fold in folds.folds("places", asked, [*sample_tasks.curves(), total]))


def test_folds_do_not_change_with_the_order_of_a_file():
    names = ["avalon", "utopia", "zembla", "erewhon"]
    assert folds.fold_of(names) == folds.fold_of(names[::-1] + names)
