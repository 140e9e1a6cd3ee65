# Queue: breadth-first search through an n x n maze with random walls, with
# the cells that wait kept in a deque.

import sys
from collections import deque

n = int(sys.argv[1]) if len(sys.argv) > 1 else 1200


def make_maze(n):
    walls = []
    seed = 1
    for _ in range(n * n):
        seed = seed * 16807 % 2147483647
        walls.append(seed % 100 < 25)
    walls[0] = False
    return walls


def search(walls, n):
    distance = [-1] * (n * n)
    distance[0] = 0
    waiting = deque([0])
    while len(waiting) > 0:
        cell = waiting.popleft()
        steps = distance[cell] + 1
        x = cell % n
        neighbors = []
        if x > 0:
            neighbors.append(cell - 1)
        if x < n - 1:
            neighbors.append(cell + 1)
        if cell >= n:
            neighbors.append(cell - n)
        if cell < n * (n - 1):
            neighbors.append(cell + n)
        for neighbor in neighbors:
            if not walls[neighbor] and distance[neighbor] < 0:
                distance[neighbor] = steps
                waiting.append(neighbor)
    return distance


def main():
    reached = 0
    farthest = 0
    total = 0
    for steps in search(make_maze(n), n):
        if steps >= 0:
            reached += 1
            total += steps
            if steps > farthest:
                farthest = steps
    print(reached)
    print(farthest)
    print(total)


main()
