-- Richards: simulates the task dispatcher of an operating system, after the
-- benchmark by Martin Richards. Six tasks of four classes, which inherit from
-- one base class, send packets to each other until the idle task has counted
-- down from n.

local n = tonumber(arg[1]) or 350000

local IDLE = 1
local WORKER = 2
local HANDLER_A = 3
local HANDLER_B = 4
local DEVICE_A = 5
local DEVICE_B = 6

local DEVICE_KIND = 0
local WORK_KIND = 1

local Packet = {}
Packet.__index = Packet

function Packet.new(link, id, kind)
  return setmetatable({
    link = link,
    id = id,
    kind = kind,
    datum = 0,
    data = { 0, 0, 0, 0 },
  }, Packet)
end

-- Appends this packet to the linked queue and returns the queue's head.
function Packet:add_to(queue)
  self.link = nil
  if queue == nil then return self end
  local last = queue
  while last.link ~= nil do
    last = last.link
  end
  last.link = self
  return queue
end

local Task = {}
Task.__index = Task

function Task:init(scheduler, id, priority, queue)
  self.scheduler = scheduler
  self.id = id
  self.priority = priority
  self.queue = queue
  self.next = nil
  self.packet_pending = queue ~= nil
  self.waiting = true
  self.holding = false
  return self
end

function Task:is_blocked()
  return self.holding or (self.waiting and not self.packet_pending)
end

function Task:add_packet(packet, sender)
  if self.queue == nil then
    self.queue = packet
    self.packet_pending = true
    if self.priority > sender.priority then return self end
  else
    self.queue = packet:add_to(self.queue)
  end
  return sender
end

function Task:run_task()
  local packet = nil
  if self.waiting and self.packet_pending then
    packet = self.queue
    self.queue = packet.link
    self.packet_pending = self.queue ~= nil
    self.waiting = false
  end
  return self:process(packet)
end

local function subclass(parent)
  local class = setmetatable({}, { __index = parent })
  class.__index = class
  return class
end

local IdleTask = subclass(Task)

function IdleTask.new(scheduler, count)
  local task = setmetatable({}, IdleTask):init(scheduler, IDLE, 0, nil)
  task.waiting = false
  task.seed = 1
  task.count = count
  return task
end

function IdleTask:process(packet)
  self.count = self.count - 1
  if self.count == 0 then return self.scheduler:hold_current() end
  self.seed = (self.seed * 75 + 74) % 65537
  if self.seed % 2 == 0 then return self.scheduler:release(DEVICE_A) end
  return self.scheduler:release(DEVICE_B)
end

local WorkerTask = subclass(Task)

function WorkerTask.new(scheduler, queue)
  local task = setmetatable({}, WorkerTask):init(scheduler, WORKER, 1000, queue)
  task.destination = HANDLER_A
  task.letter = 0
  return task
end

function WorkerTask:process(packet)
  if packet == nil then return self.scheduler:wait_current() end
  if self.destination == HANDLER_A then
    self.destination = HANDLER_B
  else
    self.destination = HANDLER_A
  end
  packet.id = self.destination
  packet.datum = 0
  for i = 1, 4 do
    self.letter = self.letter + 1
    if self.letter > 26 then self.letter = 1 end
    packet.data[i] = 64 + self.letter
  end
  return self.scheduler:send(packet)
end

local HandlerTask = subclass(Task)

function HandlerTask.new(scheduler, id, priority, queue)
  local task = setmetatable({}, HandlerTask):init(scheduler, id, priority, queue)
  task.work = nil
  task.devices = nil
  return task
end

function HandlerTask:process(packet)
  if packet ~= nil then
    if packet.kind == WORK_KIND then
      self.work = packet:add_to(self.work)
    else
      self.devices = packet:add_to(self.devices)
    end
  end
  local work = self.work
  if work == nil then return self.scheduler:wait_current() end
  if work.datum >= 4 then
    self.work = work.link
    return self.scheduler:send(work)
  end
  local device = self.devices
  if device == nil then return self.scheduler:wait_current() end
  self.devices = device.link
  device.datum = work.data[work.datum + 1]
  work.datum = work.datum + 1
  return self.scheduler:send(device)
end

local DeviceTask = subclass(Task)

function DeviceTask.new(scheduler, id, priority)
  local task = setmetatable({}, DeviceTask):init(scheduler, id, priority, nil)
  task.pending = nil
  return task
end

function DeviceTask:process(packet)
  if packet ~= nil then
    self.pending = packet
    return self.scheduler:hold_current()
  end
  if self.pending == nil then return self.scheduler:wait_current() end
  packet = self.pending
  self.pending = nil
  return self.scheduler:send(packet)
end

local Scheduler = {}
Scheduler.__index = Scheduler

function Scheduler.new()
  return setmetatable({
    sent = 0,
    held = 0,
    first = nil,
    current = nil,
    tasks = {},
  }, Scheduler)
end

function Scheduler:add(task)
  task.next = self.first
  self.first = task
  self.tasks[task.id] = task
end

function Scheduler:run()
  self.current = self.first
  while self.current ~= nil do
    if self.current:is_blocked() then
      self.current = self.current.next
    else
      self.current = self.current:run_task()
    end
  end
end

function Scheduler:release(id)
  local task = self.tasks[id]
  task.holding = false
  if task.priority > self.current.priority then return task end
  return self.current
end

function Scheduler:hold_current()
  self.held = self.held + 1
  self.current.holding = true
  return self.current.next
end

function Scheduler:wait_current()
  self.current.waiting = true
  return self.current
end

function Scheduler:send(packet)
  self.sent = self.sent + 1
  local task = self.tasks[packet.id]
  packet.link = nil
  packet.id = self.current.id
  return task:add_packet(packet, self.current)
end

local scheduler = Scheduler.new()
scheduler:add(IdleTask.new(scheduler, n))

local queue = Packet.new(nil, WORKER, WORK_KIND)
queue = Packet.new(queue, WORKER, WORK_KIND)
scheduler:add(WorkerTask.new(scheduler, queue))

queue = Packet.new(nil, DEVICE_A, DEVICE_KIND)
queue = Packet.new(queue, DEVICE_A, DEVICE_KIND)
queue = Packet.new(queue, DEVICE_A, DEVICE_KIND)
scheduler:add(HandlerTask.new(scheduler, HANDLER_A, 2000, queue))

queue = Packet.new(nil, DEVICE_B, DEVICE_KIND)
queue = Packet.new(queue, DEVICE_B, DEVICE_KIND)
queue = Packet.new(queue, DEVICE_B, DEVICE_KIND)
scheduler:add(HandlerTask.new(scheduler, HANDLER_B, 3000, queue))

scheduler:add(DeviceTask.new(scheduler, DEVICE_A, 4000))
scheduler:add(DeviceTask.new(scheduler, DEVICE_B, 5000))

scheduler:run()
print(scheduler.sent)
print(scheduler.held)
