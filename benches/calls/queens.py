# N queens: count the solutions by backtracking, with one list of flags for
# the columns and one for each direction of diagonals.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 12

solutions = 0
columns = [False] * n
rising = [False] * (2 * n)
falling = [False] * (2 * n)


def place(row):
    global solutions
    if row == n:
        solutions += 1
        return
    for column in range(n):
        up = row + column
        down = row - column + n
        if not (columns[column] or rising[up] or falling[down]):
            columns[column] = True
            rising[up] = True
            falling[down] = True
            place(row + 1)
            columns[column] = False
            rising[up] = False
            falling[down] = False


place(0)
print(solutions)
