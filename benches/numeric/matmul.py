# Matrix multiplication: the schoolbook product of two n x n matrices,
# stored as lists of rows.

import math
import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 320


def make_matrix(n, seed):
    matrix = []
    for i in range(n):
        row = []
        for j in range(n):
            row.append((i * seed + j * j) % 11 - 4.5)
        matrix.append(row)
    return matrix


def multiply(a, b, n):
    product = []
    for i in range(n):
        row_of_a = a[i]
        row = []
        for j in range(n):
            total = 0
            for k in range(n):
                total += row_of_a[k] * b[k][j]
            row.append(total)
        product.append(row)
    return product


def main():
    product = multiply(make_matrix(n, 3), make_matrix(n, 7), n)
    trace = 0
    total = 0
    for i in range(n):
        trace += product[i][i]
        for element in product[i]:
            total += element
    print(math.floor(trace * 4))
    print(math.floor(total * 4))


main()
