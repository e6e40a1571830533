-- The arithmetic of provisioning/planning/quota.py, atomic for all workers. A test holds the two together, to the last
-- bit: keep the order of operations.
-- KEYS: the app's bucket, the tenant's. ARGV: sizes as JSON, the moment (empty: the server's time), operation, its words.
-- Answers {writes, seconds to wait}. What it keeps is read by provisioning/broker/quota_gauge.py.
local sizes = cjson.decode(ARGV[1])
local NEVER, ROUNDING = -math.huge, 1e-6

local function moment()
  if ARGV[2] ~= '' then return tonumber(ARGV[2]) end
  local time = redis.call('TIME')
  return (time[1] - sizes.origin + time[2] / 1e6) * sizes.factor
end
local now = moment()

local FORMAT = '>ddddddddd'

local function loaded(key, born)
  local packed = redis.call('GET', key)
  -- What another release wrote is as good as lost.
  if not packed or #packed ~= struct.size(FORMAT) then
    return {level = 0, at = born, slow = NEVER, turn = NEVER, born = born,
            since = NEVER, seconds = 0, granted = 0, refused = 0}
  end
  local level, at, slow, turn, first, since, seconds, granted, refused = struct.unpack(FORMAT, packed)
  return {level = level, at = at, slow = slow, turn = turn, born = first,
          since = since, seconds = seconds, granted = granted, refused = refused}
end
-- A tenant without a key has been quiet so long that its bucket is full, unless the whole store was lost since.
local app = loaded(KEYS[1], now)
local tenant = loaded(KEYS[2], app.born)

local function keep(key, bucket, size)
  local packed = struct.pack(FORMAT, bucket.level, bucket.at, bucket.slow, bucket.turn, bucket.born,
                             bucket.since, bucket.seconds, bucket.granted, bucket.refused)
  local busy_until = math.max(bucket.at, bucket.slow, bucket.turn)
  local quiet = math.max(size.window, math.max(0, busy_until - now) + size.burst / size.rate)
  if key == KEYS[1] then redis.call('SET', key, packed)
  else redis.call('SET', key, packed, 'PX', math.ceil((quiet + 1) / sizes.factor * 1000)) end
end

local function refill(bucket, size, moment_of)
  local since = math.min(bucket.at, moment_of + sizes.longest_closing)
  local elapsed = math.max(0, moment_of - since)
  local slowed = math.max(0, math.min(moment_of, bucket.slow) - since)
  bucket.level = math.min(size.burst, bucket.level + (elapsed - slowed * sizes.slowed_by) * size.rate)
  bucket.at = math.max(since, moment_of)
end

local function watch()
  if tenant.since == NEVER then return end
  local in_line = math.max(0, math.min(tenant.turn, now) - math.max(tenant.since, tenant.at))
  local window = sizes.tenant.window
  local own = math.min(window, math.max(0, now - tenant.since - in_line))
  local kept = 1 - own / window
  tenant.seconds = tenant.seconds * kept + own
  tenant.granted, tenant.refused = tenant.granted * kept, tenant.refused * kept
end

local function wait_for(bucket, tokens, size)
  return math.max(0, bucket.at - now) + math.max(0, tokens - bucket.level) / size.rate
end

local function join_line(writes, kept)
  if tenant.turn > NEVER then return end
  local tokens = math.min(writes, sizes.turn)
  tenant.turn = math.max(app.turn, now + wait_for(app, tokens + sizes.app.reserve * kept, sizes.app))
  app.turn = tenant.turn + tokens / sizes.app.rate
end

local function available(writes, kept)
  if math.max(app.at, tenant.at) > now then return 0 end
  local spare = math.min(app.level - sizes.app.reserve * kept, tenant.level - sizes.tenant.reserve * kept, writes)
  spare = math.max(0, math.floor(spare + ROUNDING))
  if spare == writes then return writes end
  return spare - spare % sizes.turn
end

local function wait(writes, kept)
  if writes == 0 then return 0 end
  local tokens = math.min(writes, sizes.turn)
  return math.max(wait_for(app, tokens + sizes.app.reserve * kept, sizes.app),
                  wait_for(tenant, tokens + sizes.tenant.reserve * kept, sizes.tenant))
end

local function spend(writes)
  app.level, tenant.level = app.level - writes, tenant.level - writes
  app.granted = app.granted + writes
end

local function take_turn(writes, kept)
  local granted = 0
  if tenant.turn <= now + ROUNDING then granted = available(math.min(writes, sizes.turn), kept) end
  local rest = writes - granted
  if granted > 0 then
    tenant.turn = NEVER
    spend(granted)
    if rest > 0 then join_line(rest, kept) end
  end
  if rest == 0 then return granted, 0 end
  return granted, math.max(wait(rest, kept), tenant.turn - now)
end

local operations = {}

local function granted_of(writes, is_bulk)
  watch()
  refill(app, sizes.app, now)
  refill(tenant, sizes.tenant, now)
  local is_crowded = app.level < sizes.app.burst * sizes.crowded_below
  if not is_crowded then app.turn = NEVER end
  if is_crowded and (is_bulk == 1 or writes > sizes.turn) then
    join_line(writes, is_bulk)
    return take_turn(writes, is_bulk)
  end
  local granted = available(writes, is_bulk)
  spend(granted)
  return granted, wait(writes - granted, is_bulk)
end

function operations.take(writes, is_bulk)
  local granted, after = granted_of(writes, is_bulk)
  if tenant.since > NEVER then tenant.granted = tenant.granted + granted end
  tenant.since = granted < writes and now or NEVER
  return granted, after
end

local function lose(writes)
  app.refused, tenant.refused = app.refused + writes, tenant.refused + writes
end

local function close(bucket, seconds, writes)
  lose(writes)
  bucket.level, bucket.at = 0, math.max(bucket.at, now + seconds)
  return 0, seconds
end

function operations.close_app(seconds, writes) return close(app, seconds, writes) end

function operations.close_tenant(seconds, writes) return close(tenant, seconds, writes) end

function operations.pause(seconds, writes)
  lose(writes)
  refill(tenant, sizes.tenant, math.max(tenant.at, now + seconds))
  return 0, seconds
end

function operations.slow(seconds)
  tenant.slow = math.max(tenant.slow, now + seconds)
  return 0, seconds
end

local writes, after = operations[ARGV[3]](tonumber(ARGV[4]), tonumber(ARGV[5]))
keep(KEYS[1], app, sizes.app)
keep(KEYS[2], tenant, sizes.tenant)
return {writes, string.format('%.17g', after)}
