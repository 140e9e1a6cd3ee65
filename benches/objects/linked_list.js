// Linked list: n times, push 1000 numbers to the front of a list object,
// reverse it, drop the odd ones and add up the rest.
"use strict";

const n = Number(process.argv[2] ?? 3500);

class Node {
  constructor(value, next) {
    this.value = value;
    this.next = next;
  }
}

class LinkedList {
  constructor() {
    this.head = null;
  }

  pushFront(value) {
    this.head = new Node(value, this.head);
  }

  reverse() {
    let reversed = null;
    let node = this.head;
    while (node !== null) {
      const following = node.next;
      node.next = reversed;
      reversed = node;
      node = following;
    }
    this.head = reversed;
  }

  dropOdd() {
    while (this.head !== null && this.head.value % 2 === 1) {
      this.head = this.head.next;
    }
    let node = this.head;
    while (node !== null && node.next !== null) {
      if (node.next.value % 2 === 1) {
        node.next = node.next.next;
      } else {
        node = node.next;
      }
    }
  }

  sum() {
    let total = 0;
    let node = this.head;
    while (node !== null) {
      total += node.value;
      node = node.next;
    }
    return total;
  }
}

let checksum = 0;
for (let round = 1; round <= n; round++) {
  const numbers = new LinkedList();
  for (let i = 1; i <= 1000; i++) {
    numbers.pushFront((i * round) % 10007);
  }
  numbers.reverse();
  numbers.dropOdd();
  checksum = (checksum * 31 + numbers.sum()) % 1000003;
}
console.log(checksum);
