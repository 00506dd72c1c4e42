-- What people at a desk read: full dossier codes, the current row of every dossier and cycle.
--
-- A row of `assessments` holds the time used up to `current_since`; the view adds what has passed since then,
-- by the office hours of the unit that holds the dossier. The numbers are those of `streams.ledger.measure`,
-- to the microsecond. `desk_assessments_at(now = '2026-03-02 02:00:00')` (UTC) measures at another instant,
-- for a back-load; it does not judge again, and `now` must not lie before the last event.
--
-- The first columns, to `units`, are those of `dunghan replay`, in its order and with its meaning: of the wall time
-- since `received_at`, `working_seconds` was running in office hours, `paused_seconds` paused in office hours, and
-- `off_seconds` the rest; `late_working_seconds` is the part of the first that lies after `due_current`;
-- `remaining_seconds` is the working time up to `due_current`; `units` says whose the working time was. Then come
-- the columns of `assessments`, and `measured_at`, the instant for which all this holds.
--
-- A view has a definer, so that those may read it who may not read the tables.

CREATE OR REPLACE VIEW dunghan.desk_assessments_at
DEFINER = default SQL SECURITY DEFINER
AS
WITH
    -- Working time of a calendar up to an instant; only differences mean something.
    (name, instant) -> (
        dictGet('dunghan.hours', 'worked_before_seconds', tuple(name), instant)
        + (
            least(instant, dictGet('dunghan.hours', 'closes_at', tuple(name), instant))
            - dictGet('dunghan.hours', 'opened_at', tuple(name), instant)
        )
    ) AS worked,
    (name, begin, finish) -> greatest(worked(name, finish) - worked(name, begin), toDecimal64(0, 6)) AS working_time
SELECT
    dossier_code,
    cycle,
    status,
    clock,
    received_at,
    due_original,
    due_current,
    multiIf(
        isNotNull(paused_remaining_seconds), paused_remaining_seconds,
        clock = 'running' AND isNotNull(due_current), working_time(calendar, measured_at, ifNull(due_current, measured_at)),
        NULL
    ) AS remaining_seconds,
    ended_at,
    verdict,
    verdict_766,
    level,
    used_working_seconds + if(clock = 'running', worked_since, toDecimal64(0, 6)) AS working_seconds,
    used_paused_seconds + if(clock = 'running', toDecimal64(0, 6), worked_since) AS paused_seconds,
    used_off_seconds + (measured_at - since) - worked_since AS off_seconds,
    used_working_seconds + used_paused_seconds + used_off_seconds + (measured_at - since) AS wall_seconds,
    used_late_working_seconds + if(
        clock = 'running' AND verdict = 'overdue' AND isNotNull(due_current),
        working_time(calendar, greatest(since, ifNull(due_current, since)), measured_at),
        toDecimal64(0, 6)
    ) AS late_working_seconds,
    verdict_unextended,
    used_late_unextended_seconds + if(
        clock = 'running' AND verdict_unextended = 'overdue' AND isNotNull(due_unextended),
        working_time(calendar, greatest(since, ifNull(due_unextended, since)), measured_at),
        toDecimal64(0, 6)
    ) AS late_unextended_seconds,
    breached_in,
    look_again_at,
    flags,
    arrayMap(
        holder -> CAST(
            (
                nullIf(holder.1, ''),
                nullIf(holder.2, ''),
                arraySum(
                    (visitor, seconds) -> if(visitor = holder, ifNull(seconds, worked_since), toDecimal64(0, 6)),
                    visitors, segments.working_seconds
                )
            ),
            'Tuple(unit Nullable(String), stage Nullable(String), working_seconds Decimal64(6))'
        ),
        arrayDistinct(arrayFilter((visitor, paused) -> NOT paused, visitors, segments.paused))
    ) AS units,
    procedure,
    procedure_case,
    channel,
    receiving_unit,
    unit,
    stage,
    limit_applied,
    exact,
    policy_version,
    rules_from,
    due_unextended,
    segments.begin,
    segments.end,
    segments.paused,
    segments.unit,
    segments.stage,
    segments.working_seconds,
    spans.begin,
    spans.end,
    spans.bucket,
    spans.unit,
    levels.level,
    levels.begin,
    levels.end,
    levels.due,
    version_events,
    version_rules,
    version_as_of,
    measured_at
FROM
(
    SELECT
        * EXCEPT remaining_seconds,
        remaining_seconds AS paused_remaining_seconds,
        {now:DateTime64(6, 'UTC')} AS measured_at,
        ifNull(current_since, measured_at) AS since,
        dictGetOrDefault(
            'dunghan.units', 'calendar', tuple(ifNull(unit, '')), measured_at,
            dictGet('dunghan.units', 'calendar', tuple(''), measured_at)
        ) AS calendar,
        working_time(calendar, since, measured_at) AS worked_since,
        arrayMap(
            (paused, holder, step) -> (ifNull(holder, ''), ifNull(step, ''), paused),
            segments.paused, segments.unit, segments.stage
        ) AS visitors
    FROM dunghan.assessments FINAL
);

CREATE OR REPLACE VIEW dunghan.desk_assessments
DEFINER = default SQL SECURITY DEFINER
AS
SELECT * FROM dunghan.desk_assessments_at(now = now64(6, 'UTC'));
