# Binary trees: build and walk many short-lived complete trees up to depth n
# while one tree stays alive.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 15


class Tree:
    def __init__(self, left, right):
        self.left = left
        self.right = right


def make_tree(depth):
    if depth == 0:
        return Tree(None, None)
    return Tree(make_tree(depth - 1), make_tree(depth - 1))


def count_nodes(tree):
    if tree.left is None:
        return 1
    return 1 + count_nodes(tree.left) + count_nodes(tree.right)


def main():
    long_lived = make_tree(n)
    for depth in range(4, n + 1, 2):
        trees = 2 ** (n - depth + 4)
        nodes = 0
        for _ in range(trees):
            nodes += count_nodes(make_tree(depth))
        print(f"{trees} trees of depth {depth}: {nodes}")
    print(count_nodes(long_lived))


main()
