"""A strategy row can never change: not by the ORM, the admin or SQL."""

from django.db import migrations

FORWARD = """
ALTER TABLE strategies_strategy
    ADD CONSTRAINT strategy_is_named_by_its_program
    CHECK (source_hash = encode(sha256(convert_to(program, 'UTF8')), 'hex'));

CREATE FUNCTION strategies_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'strategy % is immutable; save another one', OLD.source_hash
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER strategy_is_immutable
    BEFORE UPDATE ON strategies_strategy
    FOR EACH ROW EXECUTE FUNCTION strategies_refuse_change();
"""
BACKWARD = """
DROP TRIGGER strategy_is_immutable ON strategies_strategy;
DROP FUNCTION strategies_refuse_change();
ALTER TABLE strategies_strategy DROP CONSTRAINT strategy_is_named_by_its_program;
"""


class Migration(migrations.Migration):
    dependencies = [("strategies", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
