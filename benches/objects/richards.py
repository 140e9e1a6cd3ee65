# Richards: simulates the task dispatcher of an operating system, after the
# benchmark by Martin Richards. Six tasks of four classes, which inherit from
# one base class, send packets to each other until the idle task has counted
# down from n.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 350000

IDLE = 0
WORKER = 1
HANDLER_A = 2
HANDLER_B = 3
DEVICE_A = 4
DEVICE_B = 5

DEVICE_KIND = 0
WORK_KIND = 1


class Packet:
    def __init__(self, link, id, kind):
        self.link = link
        self.id = id
        self.kind = kind
        self.datum = 0
        self.data = [0] * 4

    def add_to(self, queue):
        """Appends this packet to the linked queue and returns the queue's head."""
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class Task:
    def __init__(self, scheduler, id, priority, queue):
        self.scheduler = scheduler
        self.id = id
        self.priority = priority
        self.queue = queue
        self.next = None
        self.packet_pending = queue is not None
        self.waiting = True
        self.holding = False

    def is_blocked(self):
        return self.holding or (self.waiting and not self.packet_pending)

    def add_packet(self, packet, sender):
        if self.queue is None:
            self.queue = packet
            self.packet_pending = True
            if self.priority > sender.priority:
                return self
        else:
            self.queue = packet.add_to(self.queue)
        return sender

    def run_task(self):
        packet = None
        if self.waiting and self.packet_pending:
            packet = self.queue
            self.queue = packet.link
            self.packet_pending = self.queue is not None
            self.waiting = False
        return self.process(packet)


class IdleTask(Task):
    def __init__(self, scheduler, count):
        super().__init__(scheduler, IDLE, 0, None)
        self.waiting = False
        self.seed = 1
        self.count = count

    def process(self, packet):
        self.count -= 1
        if self.count == 0:
            return self.scheduler.hold_current()
        self.seed = (self.seed * 75 + 74) % 65537
        if self.seed % 2 == 0:
            return self.scheduler.release(DEVICE_A)
        return self.scheduler.release(DEVICE_B)


class WorkerTask(Task):
    def __init__(self, scheduler, queue):
        super().__init__(scheduler, WORKER, 1000, queue)
        self.destination = HANDLER_A
        self.letter = 0

    def process(self, packet):
        if packet is None:
            return self.scheduler.wait_current()
        if self.destination == HANDLER_A:
            self.destination = HANDLER_B
        else:
            self.destination = HANDLER_A
        packet.id = self.destination
        packet.datum = 0
        for i in range(4):
            self.letter += 1
            if self.letter > 26:
                self.letter = 1
            packet.data[i] = 64 + self.letter
        return self.scheduler.send(packet)


class HandlerTask(Task):
    def __init__(self, scheduler, id, priority, queue):
        super().__init__(scheduler, id, priority, queue)
        self.work = None
        self.devices = None

    def process(self, packet):
        if packet is not None:
            if packet.kind == WORK_KIND:
                self.work = packet.add_to(self.work)
            else:
                self.devices = packet.add_to(self.devices)
        work = self.work
        if work is None:
            return self.scheduler.wait_current()
        if work.datum >= 4:
            self.work = work.link
            return self.scheduler.send(work)
        device = self.devices
        if device is None:
            return self.scheduler.wait_current()
        self.devices = device.link
        device.datum = work.data[work.datum]
        work.datum += 1
        return self.scheduler.send(device)


class DeviceTask(Task):
    def __init__(self, scheduler, id, priority):
        super().__init__(scheduler, id, priority, None)
        self.pending = None

    def process(self, packet):
        if packet is not None:
            self.pending = packet
            return self.scheduler.hold_current()
        if self.pending is None:
            return self.scheduler.wait_current()
        packet = self.pending
        self.pending = None
        return self.scheduler.send(packet)


class Scheduler:
    def __init__(self):
        self.sent = 0
        self.held = 0
        self.first = None
        self.current = None
        self.tasks = [None] * 6

    def add(self, task):
        task.next = self.first
        self.first = task
        self.tasks[task.id] = task

    def run(self):
        self.current = self.first
        while self.current is not None:
            if self.current.is_blocked():
                self.current = self.current.next
            else:
                self.current = self.current.run_task()

    def release(self, id):
        task = self.tasks[id]
        task.holding = False
        if task.priority > self.current.priority:
            return task
        return self.current

    def hold_current(self):
        self.held += 1
        self.current.holding = True
        return self.current.next

    def wait_current(self):
        self.current.waiting = True
        return self.current

    def send(self, packet):
        self.sent += 1
        task = self.tasks[packet.id]
        packet.link = None
        packet.id = self.current.id
        return task.add_packet(packet, self.current)


scheduler = Scheduler()
scheduler.add(IdleTask(scheduler, n))

queue = Packet(None, WORKER, WORK_KIND)
queue = Packet(queue, WORKER, WORK_KIND)
scheduler.add(WorkerTask(scheduler, queue))

queue = Packet(None, DEVICE_A, DEVICE_KIND)
queue = Packet(queue, DEVICE_A, DEVICE_KIND)
queue = Packet(queue, DEVICE_A, DEVICE_KIND)
scheduler.add(HandlerTask(scheduler, HANDLER_A, 2000, queue))

queue = Packet(None, DEVICE_B, DEVICE_KIND)
queue = Packet(queue, DEVICE_B, DEVICE_KIND)
queue = Packet(queue, DEVICE_B, DEVICE_KIND)
scheduler.add(HandlerTask(scheduler, HANDLER_B, 3000, queue))

scheduler.add(DeviceTask(scheduler, DEVICE_A, 4000))
scheduler.add(DeviceTask(scheduler, DEVICE_B, 5000))

scheduler.run()
print(scheduler.sent)
print(scheduler.held)
