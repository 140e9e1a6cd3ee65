-- Particles: 1000 objects fall under gravity and bounce inside a box for n
-- steps, each updated by its own methods.

local n = tonumber(arg[1]) or 5000

local Particle = {}
Particle.__index = Particle

function Particle.new(x, y, vx, vy)
  return setmetatable({ x = x, y = y, vx = vx, vy = vy, bounces = 0 }, Particle)
end

function Particle:move(dt)
  self.vy = self.vy - 9.81 * dt
  self.x = self.x + self.vx * dt
  self.y = self.y + self.vy * dt
end

function Particle:bounce()
  if self.x < 0 then
    self.x = -self.x
    self.vx = -self.vx
    self.bounces = self.bounces + 1
  elseif self.x > 100 then
    self.x = 200 - self.x
    self.vx = -self.vx
    self.bounces = self.bounces + 1
  end
  if self.y < 0 then
    self.y = -self.y
    self.vy = self.vy * -0.9
    self.bounces = self.bounces + 1
  end
end

function Particle:energy()
  return 0.5 * (self.vx * self.vx + self.vy * self.vy) + 9.81 * self.y
end

local particles = {}
for i = 0, 999 do
  particles[#particles + 1] = Particle.new(i % 100, i % 37 + 1, i % 13 - 6, i % 7 - 3)
end

for _ = 1, n do
  for _, particle in ipairs(particles) do
    particle:move(0.01)
    particle:bounce()
  end
end

local bounces = 0
local energy = 0
for _, particle in ipairs(particles) do
  bounces = bounces + particle.bounces
  energy = energy + particle:energy()
end
print(bounces)
print(string.format("%d", math.floor(energy * 1000)))
