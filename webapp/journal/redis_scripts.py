"""The Redis journal's scripts in Lua, by name; Redis runs each as a whole. They need Redis 6.2 or later.

A run is a hash and a stream. The stream has an entry per group, whose id is the group's epoch and last number: `2-7` are
frames up to number 7 of epoch 2, `2-0` is the reset that begins it. So a reader's cursor is an id of the stream.

| key | what |
|---|---|
| `version` | the versions whose code can work with what is stored, separated by spaces; see `schema` |
| `leases` | sorted set: worker, by the end of its lease |
| `running` | hash: running run to the start of its row's time in 16 digits, and its worker |
| `owned`, `owners` | sorted set of `owner NUL run`, for ranges by owner; hash: run to owner |
| `ended` | sorted set: run, by its end |
| `stops` | hash: running run to who asked to stop it |
| `run:…`, `frames:…` | hash of one run, stream of its groups |

Times are microseconds since 1970. Scripts get the keys of whole runs in `KEYS` after the shared ones, and never make up keys.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSION = "1"
PREFIX = "freshet:journal:"
SHARED_KEYS = tuple(
    PREFIX + name for name in ("version", "leases", "running", "owned", "owners", "ended", "stops")
)
KEEP_S = (
    2 * 86_400
)  # how long Redis keeps an ended run that no server deletes: longer than any FRESHET_EXPIRY_S

_START = (
    f"local VERSION, SHARED, KEEP_S = '{VERSION}', {len(SHARED_KEYS)}, {KEEP_S}"
    + """
local stored = redis.call('GET', KEYS[1])
if stored and not string.find(' ' .. stored .. ' ', ' ' .. VERSION .. ' ', 1, true) then
  return redis.error_reply('OUTDATED ' .. stored)
end
local leases, running, owned, owners, ended, stops = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local call = redis.call

local function now()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

local function digits(number) return string.format('%.0f', number) end

local function has_lease(worker, at)
  local till = call('ZSCORE', leases, worker)
  return till and tonumber(till) > at
end

-- A run whose stream or hash Redis has evicted is lost as a whole.
local function position(hash, frames)
  local found = call('HMGET', hash, 'worker', 'epoch', 'last', 'ended', 'temporary')
  if not found[1] then return nil end
  local last = tonumber(found[3])
  if last >= 0 and call('EXISTS', frames) == 0 then return nil end
  return {worker = found[1], epoch = tonumber(found[2]), last = last, ended = found[4], temporary = found[5] == '1'}
end

local function add(frames, epoch, first, last, content)
  call('XADD', frames, epoch .. '-' .. last, 'first', first, 'frames', content)
end

local function row(run, hash, frames)
  if not position(hash, frames) then return {} end
  local found = call('HGETALL', hash)
  found[#found + 1] = 'owner'
  found[#found + 1] = call('HGET', owners, run) or ''
  return found
end

local function ids_of(owner)
  local found = call('ZRANGEBYLEX', owned, '[' .. owner .. '\\0', '(' .. owner .. '\\1')
  for i = 1, #found do found[i] = string.sub(found[i], #owner + 2) end
  return found
end

local function forget(run)
  local owner = call('HGET', owners, run)
  if owner then call('ZREM', owned, owner .. '\\0' .. run) end
  call('HDEL', owners, run)
  call('HDEL', running, run)
  call('HDEL', stops, run)
  call('ZREM', ended, run)
end

local function keys(i) return KEYS[SHARED + 2 * i - 1], KEYS[SHARED + 2 * i] end
"""
)

# A replica refuses this, and so does a Redis whose memory is full: before anything is decided or done by halves.
_START_WRITING = _START + "call('SET', KEYS[1], stored or VERSION)\n"

_READING = {
    "now": "return digits(now())",
    "rows": """
local found = {}
for i = 1, #ARGV do found[i] = row(ARGV[i], keys(i)) end
return found
""",
    # limit of bytes; then of each run: the epoch and the number of its reader's cursor. The groups that follow are taken in
    # turns, one of each run, until their sizes reach the limit.
    "read": """
local limit, size = tonumber(ARGV[1]), 0
local found, open = {}, {}
for i = 1, (#ARGV - 1) / 2 do
  local hash, frames = keys(i)
  local p = position(hash, frames)
  if p then
    local groups = {}
    local state = p.ended and 1 or 0
    found[#found + 1] = {i, p.epoch, p.last, state, p.temporary and 1 or 0, groups}
    local had = tonumber(ARGV[2 * i]) == p.epoch and tonumber(ARGV[2 * i + 1]) or -1
    if p.last > had then
      open[#open + 1] = {frames = frames, epoch = p.epoch, had = had, last = p.last, groups = groups, ahead = {}, at = 1}
    end
  end
end
local count = 1
while #open > 0 do
  local left = {}
  for _, run in ipairs(open) do
    if size < limit and run.at > #run.ahead then
      local from = run.epoch .. '-' .. digits(run.had + 1)
      run.ahead, run.at = call('XRANGE', run.frames, from, '+', 'COUNT', count), 1
    end
    local entry = run.ahead[run.at]
    if size < limit and entry then
      run.at, run.had = run.at + 1, tonumber(string.match(entry[1], '-(%d+)$'))
      local first, content = entry[2][2], entry[2][4]
      run.groups[#run.groups + 1] = {tonumber(first), run.had, content}
      size = size + #content
      if run.had < run.last then left[#left + 1] = run end
    end
  end
  open, count = left, math.min(64, count * 2)
end
return found
""",
    # grace in microseconds, limit
    "list_lapsed": """
local before = now() - ARGV[1]
local found, held, all = {}, {}, call('HGETALL', running)
for i = 1, #all, 2 do
  local worker = string.sub(all[i + 1], 17)
  if held[worker] == nil then held[worker] = has_lease(worker, before) or false end
  if not held[worker] then found[#found + 1] = string.sub(all[i + 1], 1, 16) .. all[i] end
end
table.sort(found)
local first = {}
for i = 1, math.min(#found, tonumber(ARGV[2])) do first[i] = string.sub(found[i], 17) end
return first
""",
    # owner, limit
    "list_running": """
local found = {}
for _, run in ipairs(ids_of(ARGV[1])) do
  local started = call('HGET', running, run)
  if started then found[#found + 1] = string.sub(started, 1, 16) .. run end
end
table.sort(found, function(one, other) return one > other end)
local first = {}
for i = 1, math.min(#found, tonumber(ARGV[2])) do first[i] = string.sub(found[i], 17) end
return first
""",
    # worker; returns runs, each followed by who asks
    "find_stops": """
local found, all = {}, call('HGETALL', stops)
for i = 1, #all, 2 do
  local started = call('HGET', running, all[i])
  if started and string.sub(started, 17) == ARGV[1] then
    found[#found + 1] = all[i]
    found[#found + 1] = all[i + 1]
  end
end
return found
""",
    # returns microseconds for each run, -1 for unknown ones
    "measure_unread": """
local at, found = now(), {}
for i = 1, (#KEYS - SHARED) / 2 do
  local read = call('HGET', (keys(i)), 'read')
  found[i] = read and math.max(0, at - read) or -1
end
return found
""",
    # age in microseconds, limit
    "list_expired": "return call('ZRANGEBYSCORE', ended, '-inf', digits(now() - ARGV[1]), 'LIMIT', 0, ARGV[2])",
}

_WRITING = {
    # run, worker, owner or nothing, first number, last number, frames or nothing; then fields of the hash
    "begin": """
local run, worker, owner, first, last, content = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local hash, frames = keys(1)
if position(hash, frames) then return {'known', row(run, hash, frames)} end
local at = now()
if not has_lease(worker, at) then return {'lapsed'} end
call('DEL', hash, frames)
forget(run)
at = digits(at)
call('HSET', hash, 'worker', worker, 'last', last, 'began', at, 'read', at, 'takeovers', 0, unpack(ARGV, 7))
local epoch = call('HGET', hash, 'epoch')
if content ~= '' then add(frames, epoch, first, last, content) end
call('HSET', running, run, at .. worker)
if owner ~= '' then
  call('ZADD', owned, 0, owner .. '\\0' .. run)
  call('HSET', owners, run, owner)
end
return {'begun'}
""",
    # worker; then of each group: number of its run in KEYS, epoch, first number, last number, frames
    "append": """
local positions, refused, grown = {}, {}, {}
for i = 2, #ARGV, 5 do
  local number = tonumber(ARGV[i])
  local epoch, first, last = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local hash, frames = keys(number)
  local p = positions[number]
  if p == nil then
    p = position(hash, frames) or false
    positions[number] = p
  end
  if refused[number] then
  elseif not p then refused[number] = 'unknown'
  elseif p.epoch ~= epoch or p.worker ~= ARGV[1] then refused[number] = 'seized'
  elseif last <= p.last then
  elseif p.ended then refused[number] = 'ended'
  elseif p.temporary then
  elseif first > math.max(0, p.last) + 1 then refused[number] = 'misplaced'
  else
    add(frames, ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
    p.last = last
    grown[number] = ARGV[i + 3]
  end
end
for number, last in pairs(grown) do call('HSET', (keys(number)), 'last', last) end
local found = {}
for number, refusal in pairs(refused) do
  found[#found + 1] = number
  found[#found + 1] = refusal
end
return found
""",
    # run, worker, epoch, first number, last number, frames, terminal frame
    "end": """
local run, worker, last, terminal = ARGV[1], ARGV[2], tonumber(ARGV[5]), ARGV[7]
local hash, frames = keys(1)
local p = position(hash, frames)
if not p then return 'unknown' end
if p.epoch ~= tonumber(ARGV[3]) or p.worker ~= worker then return 'seized' end
if p.ended then
  return last == p.last and call('HGET', hash, 'terminal') == terminal and '' or 'ended'
end
if last <= p.last then return 'misplaced' end
if p.temporary then
  add(frames, ARGV[3], ARGV[5], ARGV[5], terminal)
elseif tonumber(ARGV[4]) > math.max(0, p.last) + 1 then
  return 'misplaced'
else
  add(frames, ARGV[3], ARGV[4], ARGV[5], ARGV[6])
end
local at = digits(now())
call('HSET', hash, 'last', ARGV[5], 'ended', at, 'terminal', terminal, 'request', '')
call('EXPIRE', hash, KEEP_S)
call('EXPIRE', frames, KEEP_S)
call('HDEL', running, run)
call('HDEL', stops, run)
call('ZADD', ended, at, run)
return ''
""",
    # run, epoch, last number, worker, reset
    "seize": """
local run, epoch, worker = ARGV[1], tonumber(ARGV[2]), ARGV[4]
local hash, frames = keys(1)
local p = position(hash, frames)
if not p or p.ended or p.epoch ~= epoch or math.max(0, p.last) ~= tonumber(ARGV[3]) then return 0 end
if p.worker ~= worker and has_lease(p.worker, now()) then return 0 end
local started = string.sub(call('HGET', running, run) or digits(now()), 1, 16)
call('HSET', hash, 'epoch', epoch + 1, 'worker', worker, 'last', p.temporary and -1 or 0)
if p.worker ~= worker then call('HINCRBY', hash, 'takeovers', 1) end
call('DEL', frames)
if not p.temporary then add(frames, epoch + 1, 0, 0, ARGV[5]) end
call('HSET', running, run, started .. worker)
return epoch + 1
""",
    # worker, microseconds
    "renew": """
local at = now()
local till = call('ZSCORE', leases, ARGV[1])
if till and tonumber(till) <= at then return 0 end
call('ZADD', leases, digits(at + ARGV[2]), ARGV[1])
return 1
""",
    # worker, microseconds; returns the worker's running runs
    "reclaim": """
call('ZADD', leases, digits(now() + ARGV[2]), ARGV[1])
local found, all = {}, call('HGETALL', running)
for i = 1, #all, 2 do
  if string.sub(all[i + 1], 17) == ARGV[1] then found[#found + 1] = all[i] end
end
return found
""",
    # source, target
    "move_owner": """
for _, run in ipairs(ids_of(ARGV[1])) do
  call('HSET', owners, run, ARGV[2])
  call('ZREM', owned, ARGV[1] .. '\\0' .. run)
  call('ZADD', owned, 0, ARGV[2] .. '\\0' .. run)
end
""",
    # run, who asks
    "request_stop": """
local p = position(keys(1))
if not p or p.ended then return 0 end
call('HSETNX', (keys(1)), 'stop', ARGV[2])
call('HSET', stops, ARGV[1], call('HGET', (keys(1)), 'stop'))
return 1
""",
    "mark_read": """
local at = digits(now())
for i = 1, (#KEYS - SHARED) / 2 do
  local hash = keys(i)
  if call('EXISTS', hash) == 1 then call('HSET', hash, 'read', at) end
end
""",
}

# These free memory, so they also work where it is full.
_DELETING = {
    "release": "return call('ZREM', leases, ARGV[1])",
    # runs; returns how many were deleted
    "expire": """
local count = 0
for i = 1, #ARGV do
  if call('ZREM', ended, ARGV[i]) == 1 then
    call('DEL', keys(i))
    forget(ARGV[i])
    count = count + 1
  end
end
local holders = {}
for _, started in ipairs(call('HVALS', running)) do holders[string.sub(started, 17)] = true end
for _, worker in ipairs(call('ZRANGEBYSCORE', leases, '-inf', digits(now()))) do
  if not holders[worker] then call('ZREM', leases, worker) end
end
return count
""",
}

SCRIPTS: Mapping[str, str] = {
    **{name: _START + script for name, script in (_READING | _DELETING).items()},
    **{name: _START_WRITING + script for name, script in _WRITING.items()},
}
