import zlib

import numpy as np
from django.db import migrations, models

from sessions import financials

# What a quiet tick moves goes to the end of the row, together. PostgreSQL keeps the order in which
# columns were made, so each is made again and takes its values along. Django does not see the order.
_MOVED = (
    ("lease_until", "timestamp with time zone", ""),
    ("last_tick_seq", "integer", "0"),
    ("last_tick_at", "timestamp with time zone", ""),
    ("tick_count", "integer", "0"),
)
_TABLE = "bot_sessions_botsession"


def _to_the_end(column: str, kind: str, default: str) -> str:
    steps = [
        f"ALTER TABLE {_TABLE} ADD COLUMN moved {kind}"
        + (f" NOT NULL DEFAULT {default}" * bool(default)),
        "SET CONSTRAINTS ALL IMMEDIATE",  # else the update's checks hold up what follows
        f"UPDATE {_TABLE} SET moved = {column}",
        f"ALTER TABLE {_TABLE} DROP COLUMN {column}",
        f"ALTER TABLE {_TABLE} RENAME COLUMN moved TO {column}",
    ]
    if default:
        steps += [
            f"ALTER TABLE {_TABLE} ALTER COLUMN {column} DROP DEFAULT",
            f"ALTER TABLE {_TABLE} ADD CONSTRAINT {_TABLE}_{column}_check CHECK ({column} >= 0)",
        ]
    return ";".join(steps)


# Every second of every session for whoever asks in SQL. A chunk is: bytes a difference, the first
# point as ten int64, column by column the differences (sessions.financials says why); a tail is
# points, the newest first. All big-endian; `place` counts bytes from 0.
_VIEW = """
CREATE FUNCTION bot_sessions_int4(packed bytea, place int) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (get_byte(packed, place) << 24) | (get_byte(packed, place + 1) << 16)
         | (get_byte(packed, place + 2) << 8) | get_byte(packed, place + 3)
$$;
CREATE FUNCTION bot_sessions_int8(packed bytea, place int) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (bot_sessions_int4(packed, place)::bigint << 32)
         | (bot_sessions_int4(packed, place + 4)::bigint & 4294967295)
$$;

CREATE FUNCTION bot_sessions_points(packed bytea, is_tail boolean)
RETURNS TABLE (
    seq bigint, at timestamptz, net_liquidation_value_cents bigint, cash_cents bigint,
    unrealized_profit_loss_cents bigint, realized_profit_loss_cents bigint,
    profit_loss_cents bigint, fees_cents bigint, available_buying_power_cents bigint,
    maintenance_margin_cents bigint
)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    data bytea := packed || ''::bytea;  -- unpacked once, not at every read
    width int := CASE WHEN is_tail THEN 0 ELSE get_byte(data, 0) END;
    steps int := CASE WHEN is_tail THEN length(data) / 80 - 1
                      ELSE (length(data) - 81) / 10 / width END;
    place int;
    v bigint[];
BEGIN
    FOR number IN 0..steps LOOP
        FOR k IN 0..9 LOOP
            place := 81 + width * (k * steps + number - 1);
            v[k] := CASE
                WHEN is_tail THEN bot_sessions_int8(data, 80 * number + 8 * k)
                WHEN number = 0 THEN bot_sessions_int8(data, 1 + 8 * k)
                WHEN width = 2 THEN v[k] + (((get_byte(data, place) << 24)
                                             | (get_byte(data, place + 1) << 16)) >> 16)
                WHEN width = 4 THEN v[k] + bot_sessions_int4(data, place)
                ELSE v[k] + bot_sessions_int8(data, place)
            END;
        END LOOP;
        seq := v[0]; at := to_timestamp(v[1] / 1000.0);
        net_liquidation_value_cents := v[2]; cash_cents := v[3];
        unrealized_profit_loss_cents := v[4]; realized_profit_loss_cents := v[5];
        profit_loss_cents := v[6]; fees_cents := v[7];
        available_buying_power_cents := v[8]; maintenance_margin_cents := v[9];
        RETURN NEXT;
    END LOOP;
END
$$;

CREATE VIEW bot_sessions_second AS
    SELECT chunk.session_id, point.*
    FROM bot_sessions_financialchunk AS chunk
    CROSS JOIN LATERAL bot_sessions_points(chunk.points, false) AS point
    UNION ALL
    SELECT session.id, point.*
    FROM bot_sessions_botsession AS session
    CROSS JOIN LATERAL bot_sessions_points(session.tail, true) AS point
    WHERE session.tail <> ''
"""
_NO_VIEW = """
DROP VIEW bot_sessions_second;
DROP FUNCTION bot_sessions_points;
DROP FUNCTION bot_sessions_int8;
DROP FUNCTION bot_sessions_int4
"""


def _pack_again(apps, schema_editor):
    """Chunks were int64 matrices packed with zlib."""
    chunks = apps.get_model("bot_sessions", "FinancialChunk").objects
    for chunk in chunks.iterator(chunk_size=100):
        matrix = np.frombuffer(zlib.decompress(chunk.points), dtype="<i8").reshape(-1, 10)
        chunks.filter(pk=chunk.pk).update(points=financials.pack_matrix(matrix))


class Migration(migrations.Migration):
    dependencies = [("bot_sessions", "0003_told_events")]

    operations = [
        migrations.RemoveIndex(model_name="botsession", name="unfinished_by_lease"),
        migrations.AddIndex(
            model_name="botsession",
            index=models.Index(
                condition=models.Q(("settled_at", None)),
                fields=["created_at", "id"],
                name="unfinished_sessions",
            ),
        ),
        *(migrations.RunSQL(_to_the_end(*moved), migrations.RunSQL.noop) for moved in _MOVED),
        migrations.AddField(
            model_name="botsession", name="tail", field=models.BinaryField(default=b"")
        ),
        migrations.RunSQL(
            # Room in each page for the next version of its rows; snapshots lie beside the table,
            # for a row that holds its own is written whole with every tick.
            f"ALTER TABLE {_TABLE} SET (fillfactor = 50, toast_tuple_target = 512);"
            f"ALTER TABLE {_TABLE} ALTER COLUMN state SET STORAGE EXTERNAL;"
            f"ALTER TABLE {_TABLE} ALTER COLUMN tail SET STORAGE PLAIN",
            f"ALTER TABLE {_TABLE} RESET (fillfactor, toast_tuple_target);"
            f"ALTER TABLE {_TABLE} ALTER COLUMN state SET STORAGE EXTENDED",
        ),
        migrations.RunPython(_pack_again, migrations.RunPython.noop),
        migrations.RunSQL(_VIEW, _NO_VIEW),
    ]
