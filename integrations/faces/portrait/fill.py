"""Holes in a picture, filled from their rim."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve


def membrane(picture: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`picture` float[h, w, c] with `hole` bool[h, w] filled as a soap film hangs in its rim (Laplace's equation)."""
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(int(hole.sum()))
    ys, xs = np.nonzero(hole)
    right = np.zeros((len(ys), picture.shape[2]))
    rows, columns, values = [np.arange(len(ys))], [np.arange(len(ys))], [np.full(len(ys), 4.0)]
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, x = np.clip(ys + dy, 0, hole.shape[0] - 1), np.clip(xs + dx, 0, hole.shape[1] - 1)
        free = hole[y, x]
        rows.append(np.flatnonzero(free))
        columns.append(number[y, x][free])
        values.append(np.full(int(free.sum()), -1.0))
        right[~free] += picture[y, x][~free]
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))).tocsc()
    filled = picture.copy()
    filled[hole] = np.stack([spsolve(matrix, right[:, c]) for c in range(right.shape[1])], 1)
    return filled
