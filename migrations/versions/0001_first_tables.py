"""first tables

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Rather give up than stand in a queue that every reader then stands behind; run it again when it is quiet.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "personas",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "published_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("id ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name=op.f("ck_personas_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personas")),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("persona_id", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("audience", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "cardinality(scopes) > 0 AND scopes <@ ARRAY['text','voice','face','live']", name=op.f("ck_consents_scopes")
        ),
        sa.CheckConstraint("until IS NULL OR until > since", name=op.f("ck_consents_until")),
        sa.ForeignKeyConstraint(
            ["persona_id"], ["personas.id"], name=op.f("fk_consents_persona_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_persona_id"), "consents", ["persona_id"], unique=False)
    op.create_table(
        "notes",
        sa.Column("persona_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.CheckConstraint("text <> ''", name=op.f("ck_notes_text")),
        sa.ForeignKeyConstraint(["persona_id"], ["personas.id"], name=op.f("fk_notes_persona_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("persona_id", "id", name=op.f("pk_notes")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("medium", sa.Text(), server_default="text", nullable=False),
        sa.Column("persona_id", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("medium IN ('text','voice','video')", name=op.f("ck_people_medium")),
        sa.ForeignKeyConstraint(
            ["persona_id"], ["personas.id"], name=op.f("fk_people_persona_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("surface", "tenant", "external_id", name=op.f("uq_people_surface_tenant_external_id")),
    )
    op.create_index(op.f("ix_people_persona_id"), "people", ["persona_id"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("persona_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_conversations_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["persona_id"], ["personas.id"], name=op.f("fk_conversations_persona_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint(
            "person_id", "persona_id", "surface", "tenant", "channel", "thread", name="uq_conversations"
        ),
    )
    op.create_index(op.f("ix_conversations_persona_id"), "conversations", ["persona_id"], unique=False)
    op.create_table(
        "note_chunks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("persona_id", sa.Text(), nullable=False),
        sa.Column("note_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("embedding", Vector(384), nullable=False),
        sa.ForeignKeyConstraint(
            ["persona_id", "note_id"],
            ["notes.persona_id", "notes.id"],
            name=op.f("fk_note_chunks_persona_id_note_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_chunks")),
        sa.UniqueConstraint(
            "persona_id", "note_id", "position", name=op.f("uq_note_chunks_persona_id_note_id_position")
        ),
    )
    op.create_index(
        "ix_note_chunks_embedding",
        "note_chunks",
        ["embedding"],
        unique=False,
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("event_surface", sa.Text(), nullable=True),
        sa.Column("event_tenant", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply_to", sa.Uuid(), nullable=True),
        sa.Column("posted_ref", sa.Text(), nullable=True),
        sa.Column("citations", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("handed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "CASE role WHEN 'person' THEN num_nulls(event_surface, event_tenant, event_id, deadline) = 0"
            " AND reply_to IS NULL"
            " ELSE num_nonnulls(event_surface, event_tenant, event_id, deadline) = 0"
            " AND reply_to IS NOT NULL AND state <> 'asked' END",
            name=op.f("ck_turns_question_or_answer"),
        ),
        sa.CheckConstraint("medium IN ('text','voice','video')", name=op.f("ck_turns_medium")),
        sa.CheckConstraint("role IN ('person','avatar')", name=op.f("ck_turns_role")),
        sa.CheckConstraint("state IN ('asked','answering','answered','failed')", name=op.f("ck_turns_state")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_turns_conversation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["reply_to"], ["turns.id"], name=op.f("fk_turns_reply_to"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
        sa.UniqueConstraint("reply_to", name=op.f("uq_turns_reply_to")),
    )
    op.create_index(op.f("ix_turns_conversation_id_number"), "turns", ["conversation_id", "number"], unique=False)
    op.create_index(
        op.f("ix_turns_event_surface_event_tenant_event_id"),
        "turns",
        ["event_surface", "event_tenant", "event_id"],
        unique=True,
    )
    op.create_index(
        "ix_turns_unsettled",
        "turns",
        ["handed_at"],
        unique=False,
        postgresql_where=sa.text("role = 'person' AND state IN ('asked','answering')"),
    )
    op.create_table(
        "clips",
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("media_key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("duration", sa.Float(), nullable=False),
        sa.Column("captions_key", sa.Text(), nullable=True),
        sa.Column("poster_key", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("medium IN ('voice','video')", name=op.f("ck_clips_medium")),
        sa.CheckConstraint("duration >= 0 AND width >= 0 AND height >= 0", name=op.f("ck_clips_measures")),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_clips_turn_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn_id", "medium", name=op.f("pk_clips")),
    )
    op.create_table(
        "ratings",
        sa.Column("turn_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("value IN (-1, 1)", name=op.f("ck_ratings_value")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ratings_person_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_ratings_turn_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn_id", "person_id", name=op.f("pk_ratings")),
    )
    op.create_index(op.f("ix_ratings_person_id"), "ratings", ["person_id"], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(op.f("ix_ratings_person_id"), table_name="ratings")
    op.drop_table("ratings")
    op.drop_table("clips")
    op.drop_index(
        "ix_turns_unsettled",
        table_name="turns",
        postgresql_where=sa.text("role = 'person' AND state IN ('asked','answering')"),
    )
    op.drop_index(op.f("ix_turns_event_surface_event_tenant_event_id"), table_name="turns")
    op.drop_index(op.f("ix_turns_conversation_id_number"), table_name="turns")
    op.drop_table("turns")
    op.drop_index(
        "ix_note_chunks_embedding",
        table_name="note_chunks",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    op.drop_table("note_chunks")
    op.drop_index(op.f("ix_conversations_persona_id"), table_name="conversations")
    op.drop_table("conversations")
    op.drop_index(op.f("ix_people_persona_id"), table_name="people")
    op.drop_table("people")
    op.drop_table("notes")
    op.drop_index(op.f("ix_consents_persona_id"), table_name="consents")
    op.drop_table("consents")
    op.drop_table("personas")
