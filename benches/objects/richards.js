// Richards: simulates the task dispatcher of an operating system, after the
// benchmark by Martin Richards. Six tasks of four classes, which inherit from
// one base class, send packets to each other until the idle task has counted
// down from n.
"use strict";

const n = Number(process.argv[2] ?? 350000);

const IDLE = 0;
const WORKER = 1;
const HANDLER_A = 2;
const HANDLER_B = 3;
const DEVICE_A = 4;
const DEVICE_B = 5;

const DEVICE_KIND = 0;
const WORK_KIND = 1;

class Packet {
  constructor(link, id, kind) {
    this.link = link;
    this.id = id;
    this.kind = kind;
    this.datum = 0;
    this.data = [0, 0, 0, 0];
  }

  // Appends this packet to the linked queue and returns the queue's head.
  addTo(queue) {
    this.link = null;
    if (queue === null) return this;
    let last = queue;
    while (last.link !== null) {
      last = last.link;
    }
    last.link = this;
    return queue;
  }
}

class Task {
  constructor(scheduler, id, priority, queue) {
    this.scheduler = scheduler;
    this.id = id;
    this.priority = priority;
    this.queue = queue;
    this.next = null;
    this.packetPending = queue !== null;
    this.waiting = true;
    this.holding = false;
  }

  isBlocked() {
    return this.holding || (this.waiting && !this.packetPending);
  }

  addPacket(packet, sender) {
    if (this.queue === null) {
      this.queue = packet;
      this.packetPending = true;
      if (this.priority > sender.priority) return this;
    } else {
      this.queue = packet.addTo(this.queue);
    }
    return sender;
  }

  runTask() {
    let packet = null;
    if (this.waiting && this.packetPending) {
      packet = this.queue;
      this.queue = packet.link;
      this.packetPending = this.queue !== null;
      this.waiting = false;
    }
    return this.process(packet);
  }
}

class IdleTask extends Task {
  constructor(scheduler, count) {
    super(scheduler, IDLE, 0, null);
    this.waiting = false;
    this.seed = 1;
    this.count = count;
  }

  process(packet) {
    this.count--;
    if (this.count === 0) return this.scheduler.holdCurrent();
    this.seed = (this.seed * 75 + 74) % 65537;
    if (this.seed % 2 === 0) return this.scheduler.release(DEVICE_A);
    return this.scheduler.release(DEVICE_B);
  }
}

class WorkerTask extends Task {
  constructor(scheduler, queue) {
    super(scheduler, WORKER, 1000, queue);
    this.destination = HANDLER_A;
    this.letter = 0;
  }

  process(packet) {
    if (packet === null) return this.scheduler.waitCurrent();
    if (this.destination === HANDLER_A) {
      this.destination = HANDLER_B;
    } else {
      this.destination = HANDLER_A;
    }
    packet.id = this.destination;
    packet.datum = 0;
    for (let i = 0; i < 4; i++) {
      this.letter++;
      if (this.letter > 26) this.letter = 1;
      packet.data[i] = 64 + this.letter;
    }
    return this.scheduler.send(packet);
  }
}

class HandlerTask extends Task {
  constructor(scheduler, id, priority, queue) {
    super(scheduler, id, priority, queue);
    this.work = null;
    this.devices = null;
  }

  process(packet) {
    if (packet !== null) {
      if (packet.kind === WORK_KIND) {
        this.work = packet.addTo(this.work);
      } else {
        this.devices = packet.addTo(this.devices);
      }
    }
    const work = this.work;
    if (work === null) return this.scheduler.waitCurrent();
    if (work.datum >= 4) {
      this.work = work.link;
      return this.scheduler.send(work);
    }
    const device = this.devices;
    if (device === null) return this.scheduler.waitCurrent();
    this.devices = device.link;
    device.datum = work.data[work.datum];
    work.datum++;
    return this.scheduler.send(device);
  }
}

class DeviceTask extends Task {
  constructor(scheduler, id, priority) {
    super(scheduler, id, priority, null);
    this.pending = null;
  }

  process(packet) {
    if (packet !== null) {
      this.pending = packet;
      return this.scheduler.holdCurrent();
    }
    if (this.pending === null) return this.scheduler.waitCurrent();
    packet = this.pending;
    this.pending = null;
    return this.scheduler.send(packet);
  }
}

class Scheduler {
  constructor() {
    this.sent = 0;
    this.held = 0;
    this.first = null;
    this.current = null;
    this.tasks = [null, null, null, null, null, null];
  }

  add(task) {
    task.next = this.first;
    this.first = task;
    this.tasks[task.id] = task;
  }

  run() {
    this.current = this.first;
    while (this.current !== null) {
      if (this.current.isBlocked()) {
        this.current = this.current.next;
      } else {
        this.current = this.current.runTask();
      }
    }
  }

  release(id) {
    const task = this.tasks[id];
    task.holding = false;
    if (task.priority > this.current.priority) return task;
    return this.current;
  }

  holdCurrent() {
    this.held++;
    this.current.holding = true;
    return this.current.next;
  }

  waitCurrent() {
    this.current.waiting = true;
    return this.current;
  }

  send(packet) {
    this.sent++;
    const task = this.tasks[packet.id];
    packet.link = null;
    packet.id = this.current.id;
    return task.addPacket(packet, this.current);
  }
}

const scheduler = new Scheduler();
scheduler.add(new IdleTask(scheduler, n));

let queue = new Packet(null, WORKER, WORK_KIND);
queue = new Packet(queue, WORKER, WORK_KIND);
scheduler.add(new WorkerTask(scheduler, queue));

queue = new Packet(null, DEVICE_A, DEVICE_KIND);
queue = new Packet(queue, DEVICE_A, DEVICE_KIND);
queue = new Packet(queue, DEVICE_A, DEVICE_KIND);
scheduler.add(new HandlerTask(scheduler, HANDLER_A, 2000, queue));

queue = new Packet(null, DEVICE_B, DEVICE_KIND);
queue = new Packet(queue, DEVICE_B, DEVICE_KIND);
queue = new Packet(queue, DEVICE_B, DEVICE_KIND);
scheduler.add(new HandlerTask(scheduler, HANDLER_B, 3000, queue));

scheduler.add(new DeviceTask(scheduler, DEVICE_A, 4000));
scheduler.add(new DeviceTask(scheduler, DEVICE_B, 5000));

scheduler.run();
console.log(scheduler.sent);
console.log(scheduler.held);
