"""An adjustment is never edited, whoever tries; it goes only with its bot."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION bots_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'balance adjustment % is in the books; make another one', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER adjustment_is_immutable
    BEFORE UPDATE ON bots_balanceadjustment
    FOR EACH ROW EXECUTE FUNCTION bots_refuse_change();
"""
BACKWARD = """
DROP TRIGGER adjustment_is_immutable ON bots_balanceadjustment;
DROP FUNCTION bots_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("bots", "0002_corrections")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
