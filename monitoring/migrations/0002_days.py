"""Readings, positions and received bytes: tables that are cut into days, made by SQL."""

from django.db import migrations

TABLES = """
CREATE TABLE monitoring_reading (
  datastream_id bigint NOT NULL,
  measured_at timestamptz NOT NULL,
  value double precision NOT NULL,
  quality varchar(1) NOT NULL,
  late boolean NOT NULL DEFAULT false,
  received_at timestamptz NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (datastream_id, measured_at, value)
) PARTITION BY RANGE (measured_at);
CREATE INDEX reading_stored ON monitoring_reading USING brin (stored_at);
CREATE TABLE monitoring_reading_rest PARTITION OF monitoring_reading DEFAULT;

CREATE TABLE monitoring_fix (
  device_id bigint NOT NULL,
  measured_at timestamptz NOT NULL,
  digest bigint NOT NULL,
  lon double precision,
  lat double precision,
  speed_kmh double precision,
  course smallint,
  flags bigint NOT NULL DEFAULT 0,
  alarms bigint NOT NULL DEFAULT 0,
  late boolean NOT NULL DEFAULT false,
  received_at timestamptz NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (device_id, measured_at, digest)
) PARTITION BY RANGE (measured_at);
CREATE TABLE monitoring_fix_rest PARTITION OF monitoring_fix DEFAULT;

CREATE SEQUENCE monitoring_alarm_number;
CREATE SEQUENCE monitoring_rawmessage_id_seq;
CREATE TABLE monitoring_rawmessage (
  id bigint NOT NULL DEFAULT nextval('monitoring_rawmessage_id_seq'),
  received_at timestamptz NOT NULL,
  protocol varchar(8) NOT NULL,
  address varchar(64) NOT NULL DEFAULT '',
  peer varchar(64) NOT NULL DEFAULT '',
  data bytea NOT NULL,
  reason varchar(200) NOT NULL DEFAULT '',
  replayed_at timestamptz,
  PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX raw_dead ON monitoring_rawmessage (received_at DESC, id DESC) WHERE reason <> '' AND replayed_at IS NULL;
CREATE INDEX raw_address ON monitoring_rawmessage (protocol, address, received_at DESC);
CREATE TABLE monitoring_rawmessage_rest PARTITION OF monitoring_rawmessage DEFAULT;
"""
GONE = """
DROP TABLE monitoring_reading; DROP TABLE monitoring_fix; DROP TABLE monitoring_rawmessage;
DROP SEQUENCE monitoring_rawmessage_id_seq; DROP SEQUENCE monitoring_alarm_number;
"""


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]

    operations = [migrations.RunSQL(TABLES, GONE)]
