"""What a checkup asks of the data alone: values, scale, columns, targets, order, balance, and rows that come twice."""

from __future__ import annotations

import numpy as np

from chainrule import border
from chainrule.doctor.items import Answer, failed, noted, passed
from chainrule.doctor.patient import Patient
from chainrule.layers import BatchNorm, LayerNorm, Linear, RMSNorm
from chainrule.layers.layer import Array

LARGE, SMALL = 20, 0.02  # the largest input that a first layer takes well, and the smallest that the largest should be
UNEVEN = 1000  # times wider than the narrowest column: uint8 pixels reach 255
PIXELS = 64  # columns from which a constant one may be the border of an image
RARE = 10  # a class this many times rarer than the largest is hardly learned
ENOUGH = 20  # rows for each class, before a missing class is a mistake and not bad luck
TOLD = 0.999  # share of the variance of a column that the label explains: it is the label
MENDS = {  # by a phrase of the error that the loss gives
    "start at 1": "y = y - 1",
    "Labels -1 and 1": "y = (y + 1) / 2",
    "NaN": "good = np.isfinite(y).reshape(len(y), -1).all(axis=1); x, y = x[good], y[good]",
    "": "names, y = np.unique(y, return_inverse=True)",
}
SHUFFLE = "order = np.random.default_rng(0).permutation(len(x)); x, y = x[order], y[order]"


def finite_values(patient: Patient) -> Answer:
    """Is there NaN or infinity in x?"""
    n = patient.all_x.shape[0]
    if patient.not_finite:
        return failed(
            f"{patient.not_finite:,} of {n:,} rows cannot be computed with. {patient.first_not_finite} The other items "
            "leave such rows out.",
            "good = np.isfinite(x).all(axis=1); x, y = x[good], y[good]",
        )
    return passed(f"{n:,} rows of shape {patient.all_x.shape[1:]}, no NaN, no infinity")


def input_scale(patient: Patient) -> Answer:
    """Are the inputs near 1 where the weights begin, and the columns about equally wide?"""
    network, x = patient.network, _columns(patient.entering)
    first = network.layers[network.first_learning] if network.first_learning < len(network.layers) else None
    largest, size = float(np.abs(x).max()), float(np.sqrt(np.square(x, dtype=np.float64).mean()))
    seen = f"the first layer that learns sees values of {x.min():.3g} to {x.max():.3g}, root mean square {size:.2g}"
    normalises = (BatchNorm, LayerNorm, RMSNorm)
    behind = network.layers[network.first_learning + 1 : network.first_learning + 2]
    if isinstance(first, normalises) or (isinstance(first, Linear) and any(isinstance(b, normalises) for b in behind)):
        return passed(f"{seen}; a normalization layer takes the scale out")
    standardise = _in_front("cr.Standardize()")
    if largest > LARGE or largest < SMALL:
        pixels = patient.x.dtype == np.uint8 and largest > LARGE
        return failed(
            f"{seen}: {'at most ' + str(LARGE) if largest > LARGE else 'at least ' + str(SMALL)} trains well",
            _in_front("cr.Rescale(1 / 255)") if pixels else standardise,
        )
    width = x.max(axis=0) - x.min(axis=0)
    widths = width[width > 0]
    if widths.size and widths.max() > UNEVEN * widths.min():
        narrow, wide = int(np.where(width > 0, width, np.inf).argmin()), int(width.argmax())
        return failed(
            f"{seen}; column {wide} spans {width[wide]:.3g}, column {narrow} {width[narrow]:.3g}: it will not be heard",
            standardise,
        )
    return passed(seen)


def constant_columns(patient: Patient) -> Answer:
    """Which columns say nothing? Those at the border of an image are right."""
    x = _columns(patient.x)
    constant = np.flatnonzero((x == x[0]).all(axis=0))
    if constant.size and len(patient.x) < patient.all_x.shape[0] and patient.all_x.ndim == 2:
        constant = _constant_everywhere(patient, constant)
    if not constant.size:
        return passed(f"all {x.shape[1]:,} columns vary")
    values, named = x[0, constant], _listed(constant)
    found = f"{constant.size:,} of {x.shape[1]:,} columns never change: {named}"
    at_the_border = x.shape[1] >= PIXELS and (values == values[0]).all() and values[0] in (x.min(), x.max())
    if at_the_border and constant.size < x.shape[1]:
        return noted(f"{found}, all {values[0]:g}. In images that is the border, and does no harm")
    return failed(
        f"{found}, for instance {values[0]:g} in column {constant[0]}; each does no more than a bias",
        "x = x[:, np.ptp(x, axis=0) > 0]",
    )


def targets(patient: Patient) -> Answer:
    """Can the loss read the targets, do all classes occur, are values of a size that can be learned?"""
    if patient.unreadable:
        return failed(patient.unreadable, next(mend for phrase, mend in MENDS.items() if phrase in patient.unreadable))
    y, labels, K = patient.all_y, patient.classes, patient.network.out_shapes[-1][-1]
    if labels is not None:
        K = max(2, K)
        missing = np.setdiff1d(np.arange(K), labels)
        if not missing.size:
            return passed(f"labels 0 to {K - 1}, all {K} of them occur")
        found = f"no row has label {_listed(missing)}; the network has outputs for 0 to {K - 1}"
        if len(labels) < ENOUGH * K:
            return noted(f"{found}. With {len(labels):,} rows that may be chance")
        return failed(found, "names, y = np.unique(y, return_inverse=True)  # and one output for each name")
    if patient.task == "sigmoid":
        fixed = np.flatnonzero((y == y[0]).all(axis=0))
        if fixed.size and len(y) > ENOUGH:
            return failed(
                f"answer {_listed(fixed)} is the same in all {len(y):,} rows", "y = np.delete(y, ..., axis=1)"
            )
        return passed(f"{K} answers of 0 or 1, each with both")
    spread, middle = y.std(axis=0), y.mean(axis=0)
    found = f"values of {y.min():.3g} to {y.max():.3g}, deviation {spread.min():.3g}"
    found += f" to {spread.max():.3g}" if K > 1 else ""
    if patient.task == "identity" and (
        spread.max() > LARGE or spread.min() < SMALL or (np.abs(middle) > LARGE * spread).any()
    ):
        return failed(
            f"{found}, mean up to {np.abs(middle).max():.3g}: a network begins near 0 and learns best near 1",
            "y = (y - y.mean(axis=0)) / y.std(axis=0)",
        )
    whole = patient.task == "identity" and K == 1 and (y == np.round(y)).all() and len(np.unique(y)) <= 20
    if whole and len(y) > ENOUGH:
        return noted(
            f"{found}, {len(np.unique(y))} whole numbers. If they are classes: one output each, cr.CrossEntropy()"
        )
    return passed(found)


def row_order(patient: Patient) -> Answer:
    """Are the rows sorted by label?"""
    labels = patient.classes
    if labels is None or len(labels) < ENOUGH:
        return noted("not asked: it takes one label a row, and 20 rows")
    shares = np.bincount(labels) / len(labels)
    expected = float((shares**2).sum())
    together = float((labels[1:] == labels[:-1]).mean())
    doubt = np.sqrt(expected * (1 - expected) / len(labels))
    found = f"neighbours have the same label in {together:.1%} of rows; by chance {expected:.1%}"
    if together > max(expected + 6 * doubt, (1 + expected) / 2):
        return failed(f"{found}: sorted. Any slice of these rows, such as a validation set, lacks classes", SHUFFLE)
    return passed(found)


def class_balance(patient: Patient) -> Answer:
    """Is a class so rare that it will hardly be learned?"""
    labels = patient.classes
    if labels is None:
        return noted("not asked: the rows have no classes")
    counts = np.bincount(labels)
    there = np.flatnonzero(counts)
    rare, common = there[counts[there].argmin()], there[counts[there].argmax()]
    found = f"{counts[rare]:,} rows of class {rare}, {counts[common]:,} of class {common}"
    if counts[common] > RARE * counts[rare] and len(there) > 1:
        share = counts[common] / len(labels)
        return failed(
            f"{found}: always answering {common} is right in {share:.1%}", 'Trainer(..., class_weight="balanced")'
        )
    return passed(found)


def answer_in_x(patient: Patient) -> Answer:
    """Is one column the answer itself?"""
    x, y = _columns(patient.x).astype(np.float64), patient.y
    labels = None if patient.classes is None else patient.classes[patient.rows]
    if x.shape[1] < 2 or len(x) < ENOUGH:
        return noted("not asked: it takes two columns and 20 rows")
    x -= x.mean(axis=0)
    total = np.square(x).sum(axis=0)
    if labels is not None:
        groups = np.eye(int(labels.max()) + 1)[labels]
        explained = (np.square(groups.T @ x) / np.maximum(groups.sum(axis=0), 1)[:, None]).sum(axis=0)
    else:
        z = y - y.mean(axis=0)
        z = z / np.maximum(np.sqrt(np.square(z).sum(axis=0)), 1e-300)
        explained = np.square(z.T @ x).max(axis=0)
    share = np.divide(explained, total, out=np.zeros_like(total), where=total > 1e-12 * total.max(initial=0))
    worst = int(share.argmax())
    if share[worst] > TOLD:
        return failed(
            f"the answer explains {share[worst]:.2%} of column {worst}: it seems to be the answer itself",
            f"x = np.delete(x, {worst}, axis=1)",
        )
    return passed(f"the answer explains at most {share[worst]:.0%} of a column (column {worst})")


def repeated_rows(patient: Patient) -> Answer:
    """Do rows of x come twice, and are some of them in the validation data?"""
    own = patient.all_x if patient.all_x.shape[0] * patient.x[0].size <= border.CHUNK * 16 else None
    own = patient.x if own is None or border.is_sparse(own) or border.is_source(own) else own
    known = {row.tobytes() for row in own}
    repeats = 1 - len(known) / len(own)
    found = f"{repeats:.1%} of {len(own):,} rows are copies of others"
    if patient.validation is None:
        return passed(found) if repeats < 0.01 else noted(found)
    held_out = border.as_rows(patient.validation[0], "validation x")
    if border.is_sparse(held_out) or border.is_source(held_out):
        return noted(f"{found}; sparse rows and sources are not compared with the validation data")
    chosen = patient.rng(2).permutation(len(held_out))[: len(patient.x)]
    shared = float(np.mean([row.tobytes() in known for row in held_out[chosen].astype(own.dtype)]))
    found += f"; of the validation rows {shared:.1%} are also here"
    if shared < 0.01:
        return passed(found)
    if repeats > 0.5:
        return noted(f"{found}: there are few different rows at all")
    return failed(f"{found}: what is learned by heart will look like skill", "split once, after np.unique(x, axis=0)")


def _columns(x: Array) -> Array:
    return x.reshape(len(x), -1)


def _in_front(layer: str) -> str:
    return f"network = cr.Network({layer}, *(layer.clone() for layer in network.layers))"


def _constant_everywhere(patient: Patient, columns: Array) -> Array:
    """Those of the columns that do not change outside the sample either, where all rows can be looked at."""
    if border.is_sparse(patient.all_x) or border.is_source(patient.all_x):
        return columns
    x = patient.all_x[:, columns]
    return columns[(x == x[0]).all(axis=0) | (np.isnan(x).any(axis=0) if x.dtype.kind == "f" else False)]


def _listed(numbers: Array) -> str:
    """A few numbers, with runs written as 3-7."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs[:6]]
    return ", ".join(shown) + (", ..." if len(runs) > 6 else "")
