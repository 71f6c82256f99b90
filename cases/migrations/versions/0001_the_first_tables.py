"""the first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make every table, and the sequences that autogenerate does not see."""
    op.execute(sa.schema.CreateSequence(sa.Sequence("case_number_sequence")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("case_id_sequence")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("directory_version_sequence")))
    op.create_table(
        "calendar_table",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_calendar_table")),
    )
    op.create_table(
        "directory_version",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_directory_version_single")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_directory_version")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("city_id", sa.BigInteger(), nullable=True),
        sa.Column("street_id", sa.BigInteger(), nullable=True),
        sa.Column("hospital_id", sa.BigInteger(), nullable=True),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("code <> '' AND name <> ''", name=op.f("ck_organisation_named")),
        sa.CheckConstraint(
            "kind = 'school' OR (hospital_id IS NULL AND community_id IS NULL)",
            name=op.f("ck_organisation_school_links"),
        ),
        sa.CheckConstraint(
            "kind IN ('city', 'district', 'education_bureau', 'street', 'community', 'school', 'hospital', 'police', 'procuratorate', 'court', 'civil_affairs', 'womens_federation', 'health_commission', 'youth_league', 'care_committee', 'disabled_federation', 'cyberspace', 'justice', 'social_work', 'guidance_center')",
            name=op.f("ck_organisation_kind"),
        ),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_organisation_own_parent")),
        sa.ForeignKeyConstraint(["city_id"], ["organisation.id"], name=op.f("fk_organisation_city_id")),
        sa.ForeignKeyConstraint(["community_id"], ["organisation.id"], name=op.f("fk_organisation_community_id")),
        sa.ForeignKeyConstraint(["district_id"], ["organisation.id"], name=op.f("fk_organisation_district_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["organisation.id"], name=op.f("fk_organisation_hospital_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["organisation.id"], name=op.f("fk_organisation_parent_id")),
        sa.ForeignKeyConstraint(["street_id"], ["organisation.id"], name=op.f("fk_organisation_street_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("code", name=op.f("uq_organisation_code")),
    )
    op.create_index(op.f("ix_organisation_kind_city_id"), "organisation", ["kind", "city_id"], unique=False)
    op.create_index(op.f("ix_organisation_kind_district_id"), "organisation", ["kind", "district_id"], unique=False)
    op.create_index(op.f("ix_organisation_kind_street_id"), "organisation", ["kind", "street_id"], unique=False)
    op.create_index(op.f("ix_organisation_parent_id"), "organisation", ["parent_id"], unique=False)
    op.create_table(
        "policy_version",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_policy_version")),
    )
    op.create_index(op.f("ix_policy_version_active_at"), "policy_version", ["active_at"], unique=False)
    op.create_table(
        "sample_city",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("one", name=op.f("ck_sample_city_single")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_sample_city")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), server_default=sa.text("'zh_CN'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.CheckConstraint("language IN ('zh_CN', 'en')", name=op.f("ck_member_language")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_member_named")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_member_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
    )
    op.create_index(op.f("ix_member_organisation_id"), "member", ["organisation_id"], unique=False)
    op.create_table(
        "duty",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_duty_shift")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_duty_member_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_duty_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
        sa.UniqueConstraint(
            "organisation_id", "member_id", "starts_at", name=op.f("uq_duty_organisation_id_member_id_starts_at")
        ),
    )
    op.create_index(op.f("ix_duty_organisation_id_ends_at"), "duty", ["organisation_id", "ends_at"], unique=False)
    op.create_table(
        "post",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint("(role = 'codirector') = (school_id IS NOT NULL)", name=op.f("ck_post_codirector_school")),
        sa.CheckConstraint(
            "role IN ('counselor', 'principal', 'mentor', 'deputy', 'codirector', 'officer', 'lead', 'liaison', 'coordinator', 'supervisor', 'auditor', 'admin')",
            name=op.f("ck_post_role"),
        ),
        sa.CheckConstraint("until >= since", name=op.f("ck_post_term")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_post_member_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_post_organisation_id")),
        sa.ForeignKeyConstraint(["school_id"], ["organisation.id"], name=op.f("fk_post_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
    )
    op.create_index(op.f("ix_post_member_id"), "post", ["member_id"], unique=False)
    op.create_index(op.f("ix_post_organisation_id_role"), "post", ["organisation_id", "role"], unique=False)
    op.create_index(
        op.f("ix_post_school_id"),
        "post",
        ["school_id"],
        unique=False,
        postgresql_where=sa.text("school_id IS NOT NULL"),
    )
    op.create_index(
        "uq_post_codirector",
        "post",
        ["school_id"],
        unique=True,
        postgresql_where=sa.text("role = 'codirector' AND until IS NULL"),
    )
    op.create_index(
        "uq_post_held",
        "post",
        ["member_id", "role", "organisation_id", sa.literal_column("coalesce(school_id, 0)")],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_index(
        "uq_post_principal",
        "post",
        ["organisation_id"],
        unique=True,
        postgresql_where=sa.text("role = 'principal' AND until IS NULL"),
    )
    op.create_table(
        "station",
        sa.Column("school_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("principal_member_id", sa.BigInteger(), nullable=False),
        sa.Column("codirector_member_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("principal_member_id <> codirector_member_id", name=op.f("ck_station_two_directors")),
        sa.ForeignKeyConstraint(["codirector_member_id"], ["member.id"], name=op.f("fk_station_codirector_member_id")),
        sa.ForeignKeyConstraint(["principal_member_id"], ["member.id"], name=op.f("fk_station_principal_member_id")),
        sa.ForeignKeyConstraint(["school_id"], ["organisation.id"], name=op.f("fk_station_school_id")),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_station")),
    )
    op.create_table(
        "student",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("mentor_member_id", sa.BigInteger(), nullable=True),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("roster_no", sa.Text(), nullable=True),
        sa.CheckConstraint("forgotten_at IS NULL OR identity IS NULL", name=op.f("ck_student_forgotten")),
        sa.ForeignKeyConstraint(["community_id"], ["organisation.id"], name=op.f("fk_student_community_id")),
        sa.ForeignKeyConstraint(["mentor_member_id"], ["member.id"], name=op.f("fk_student_mentor_member_id")),
        sa.ForeignKeyConstraint(["school_id"], ["organisation.id"], name=op.f("fk_student_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student")),
        sa.UniqueConstraint("school_id", "roster_no", name=op.f("uq_student_school_id_roster_no")),
    )
    op.create_index(op.f("ix_student_mentor_member_id"), "student", ["mentor_member_id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("district_id", sa.BigInteger(), nullable=False),
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("concern", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("aside_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("aside_count", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("whistler_id", sa.BigInteger(), nullable=True),
        sa.Column("whistler_role", sa.Text(), nullable=True),
        sa.Column(
            "facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("level IN ('red', 'orange', 'yellow', 'blue')", name=op.f("ck_cases_level")),
        sa.ForeignKeyConstraint(["city_id"], ["organisation.id"], name=op.f("fk_cases_city_id")),
        sa.ForeignKeyConstraint(["district_id"], ["organisation.id"], name=op.f("fk_cases_district_id")),
        sa.ForeignKeyConstraint(["merged_into"], ["cases.id"], name=op.f("fk_cases_merged_into")),
        sa.ForeignKeyConstraint(["school_id"], ["organisation.id"], name=op.f("fk_cases_school_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_cases_student_id")),
        sa.ForeignKeyConstraint(["whistler_id"], ["member.id"], name=op.f("fk_cases_whistler_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_number")),
    )
    op.create_index(
        op.f("ix_cases_district_id_state_created_at"), "cases", ["district_id", "state", "created_at"], unique=False
    )
    op.create_index(op.f("ix_cases_school_id_created_at"), "cases", ["school_id", "created_at"], unique=False)
    op.create_index(op.f("ix_cases_student_id"), "cases", ["student_id"], unique=False)
    op.create_index(
        "ix_cases_wake", "cases", ["wake_at"], unique=False, postgresql_where=sa.text("wake_at IS NOT NULL")
    )
    op.create_table(
        "access_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("track_no", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_access_log_case_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_access_log_member_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_access_log_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    op.create_index(op.f("ix_access_log_case_id_at"), "access_log", ["case_id", "at"], unique=False)
    op.create_index(op.f("ix_access_log_member_id_at"), "access_log", ["member_id", "at"], unique=False)
    op.create_table(
        "called",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_called_case_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_called_organisation_id")),
        sa.PrimaryKeyConstraint("case_id", "organisation_id", name=op.f("pk_called")),
    )
    op.create_index(op.f("ix_called_organisation_id"), "called", ["organisation_id"], unique=False)
    op.create_table(
        "clock",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("track_no", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("face", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("state IN ('running', 'paused', 'met', 'missed', 'cancelled')", name=op.f("ck_clock_state")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_clock_case_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_clock_organisation_id")),
        sa.PrimaryKeyConstraint("case_id", "no", name=op.f("pk_clock")),
    )
    op.create_index(
        "ix_clock_open",
        "clock",
        ["organisation_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("stopped_at IS NULL AND state IN ('running', 'paused', 'missed')"),
    )
    op.create_index(
        "ix_clock_provisional",
        "clock",
        ["case_id"],
        unique=False,
        postgresql_where=sa.text("provisional AND stopped_at IS NULL"),
    )
    op.create_table(
        "event",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("track_no", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("actor_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.Integer(), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("open", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("narrative", sa.LargeBinary(), nullable=True),
        sa.Column("clinical", sa.LargeBinary(), nullable=True),
        sa.Column("commitments", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("seq > 0", name=op.f("ck_event_seq")),
        sa.ForeignKeyConstraint(["actor_id"], ["member.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_event_case_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_event")),
    )
    op.create_table(
        "file",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.CheckConstraint("section IN ('identity', 'narrative', 'clinical')", name=op.f("ck_file_section")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_file_case_id")),
        sa.PrimaryKeyConstraint("case_id", "no", name=op.f("pk_file")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_incident_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(
        "ix_incident_open", "incident", ["kind"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_message_case_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_message_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("case_id", "seq", "member_id", name=op.f("uq_message_case_id_seq_member_id")),
    )
    op.create_index(op.f("ix_message_member_id_at"), "message", ["member_id", "at"], unique=False)
    op.create_table(
        "track",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_no", sa.SmallInteger(), nullable=True),
        sa.Column("about_no", sa.SmallInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alarm_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alarm_move", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("(alarm_at IS NULL) = (alarm_move IS NULL)", name=op.f("ck_track_alarm")),
        sa.CheckConstraint("no > 0", name=op.f("ck_track_no")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_track_case_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_track_organisation_id")),
        sa.PrimaryKeyConstraint("case_id", "no", name=op.f("pk_track")),
    )
    op.create_index(
        op.f("ix_track_organisation_id_kind_state"), "track", ["organisation_id", "kind", "state"], unique=False
    )
    op.create_index(
        "uq_track_lead",
        "track",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text(
            "kind = 'assignment' AND facts->>'part' = 'lead' AND state NOT IN ('done', 'reassigned', 'cancelled')"
        ),
    )


def downgrade() -> None:
    """Drop everything that this step made."""
    op.drop_index(
        "uq_track_lead",
        table_name="track",
        postgresql_where=sa.text(
            "kind = 'assignment' AND facts->>'part' = 'lead' AND state NOT IN ('done', 'reassigned', 'cancelled')"
        ),
    )
    op.drop_index(op.f("ix_track_organisation_id_kind_state"), table_name="track")
    op.drop_table("track")
    op.drop_index(op.f("ix_message_member_id_at"), table_name="message")
    op.drop_table("message")
    op.drop_index("ix_incident_open", table_name="incident", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("incident")
    op.drop_table("file")
    op.drop_table("event")
    op.drop_index(
        "ix_clock_provisional", table_name="clock", postgresql_where=sa.text("provisional AND stopped_at IS NULL")
    )
    op.drop_index(
        "ix_clock_open",
        table_name="clock",
        postgresql_where=sa.text("stopped_at IS NULL AND state IN ('running', 'paused', 'missed')"),
    )
    op.drop_table("clock")
    op.drop_index(op.f("ix_called_organisation_id"), table_name="called")
    op.drop_table("called")
    op.drop_index(op.f("ix_access_log_member_id_at"), table_name="access_log")
    op.drop_index(op.f("ix_access_log_case_id_at"), table_name="access_log")
    op.drop_table("access_log")
    op.drop_index("ix_cases_wake", table_name="cases", postgresql_where=sa.text("wake_at IS NOT NULL"))
    op.drop_index(op.f("ix_cases_student_id"), table_name="cases")
    op.drop_index(op.f("ix_cases_school_id_created_at"), table_name="cases")
    op.drop_index(op.f("ix_cases_district_id_state_created_at"), table_name="cases")
    op.drop_table("cases")
    op.drop_index(op.f("ix_student_mentor_member_id"), table_name="student")
    op.drop_table("student")
    op.drop_table("station")
    op.drop_index(
        "uq_post_principal", table_name="post", postgresql_where=sa.text("role = 'principal' AND until IS NULL")
    )
    op.drop_index("uq_post_held", table_name="post", postgresql_where=sa.text("until IS NULL"))
    op.drop_index(
        "uq_post_codirector", table_name="post", postgresql_where=sa.text("role = 'codirector' AND until IS NULL")
    )
    op.drop_index(op.f("ix_post_school_id"), table_name="post", postgresql_where=sa.text("school_id IS NOT NULL"))
    op.drop_index(op.f("ix_post_organisation_id_role"), table_name="post")
    op.drop_index(op.f("ix_post_member_id"), table_name="post")
    op.drop_table("post")
    op.drop_index(op.f("ix_duty_organisation_id_ends_at"), table_name="duty")
    op.drop_table("duty")
    op.drop_index(op.f("ix_member_organisation_id"), table_name="member")
    op.drop_table("member")
    op.drop_table("sample_city")
    op.drop_index(op.f("ix_policy_version_active_at"), table_name="policy_version")
    op.drop_table("policy_version")
    op.drop_index(op.f("ix_organisation_parent_id"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_kind_street_id"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_kind_district_id"), table_name="organisation")
    op.drop_index(op.f("ix_organisation_kind_city_id"), table_name="organisation")
    op.drop_table("organisation")
    op.drop_table("directory_version")
    op.drop_table("calendar_table")
    op.execute(sa.schema.DropSequence(sa.Sequence("case_number_sequence")))
    op.execute(sa.schema.DropSequence(sa.Sequence("case_id_sequence")))
    op.execute(sa.schema.DropSequence(sa.Sequence("directory_version_sequence")))
