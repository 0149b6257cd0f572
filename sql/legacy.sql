-- What an import from the older single-tenant CRM asks and stores (src/legacy/): rows with columns that the API never sets.

-- name: imported_row :tenant
-- in:  source text, source_key text
-- out: kept_id uuid
SELECT r.kept_id
FROM imported_rows AS r
WHERE r.organization_id = :organization AND r.source = :source AND r.source_key = :source_key;

-- name: imported_row_create :tenant
-- in: source text, source_key text, kept_id uuid
INSERT INTO imported_rows (organization_id, source, source_key, kept_id)
VALUES (:organization, :source, :source_key, :kept_id);

-- name: legacy_user_create :tenant
-- in: id uuid, email text, name text, image text, role text, provider text, provider_id text, created_at time,
--     updated_at time, last_sign_in_at time
INSERT INTO users (organization_id, id, email, name, image, role, provider, provider_id, created_at, updated_at,
                   last_sign_in_at)
VALUES (:organization, :id, :email, :name, :image, :role, :provider, :provider_id, :created_at, :updated_at,
        :last_sign_in_at);

-- name: legacy_visitor_create :tenant
-- in: id uuid, email text, name text, source text, metadata json, created_at time, last_active_at time
INSERT INTO visitors (organization_id, id, email, name, source, metadata, created_at, last_active_at)
VALUES (:organization, :id, :email, :name, :source, :metadata, :created_at, :last_active_at);

-- name: legacy_chat_create :tenant
-- in: id uuid, chat_id text, session_id text, user_id text, visitor_id uuid, location text, user_agent text, status text,
--     metadata json, created_at time
INSERT INTO chats (organization_id, id, chat_id, session_id, user_id, visitor_id, location, user_agent, status, metadata,
                   created_at)
VALUES (:organization, :id, :chat_id, :session_id, :user_id, :visitor_id, :location, :user_agent, :status, :metadata,
        :created_at);

-- name: legacy_chat :tenant
-- in:  chat_id text
-- out: number int, session_id text, created_at time, last_message int, counted_edition int, counted_day int,
--      summarized_at time
SELECT c.number, c.session_id, c.created_at, a.last_message, a.counted_edition, a.counted_day, s.summarized_at
FROM chats AS c
JOIN chat_activity AS a ON a.chat_number = c.number AND a.organization_id = :organization
LEFT JOIN chat_summaries AS s ON s.chat_number = c.number AND s.organization_id = :organization
WHERE c.organization_id = :organization AND c.chat_id = :chat_id;

-- name: legacy_summary_create :tenant
-- in: chat_number int, topic_summary text, user_score int, lead_score int, sentiment text, topics json,
--     conversion_signals json, summarized_at time
INSERT INTO chat_summaries (chat_number, organization_id, topic_summary, user_score, lead_score, sentiment, topics,
                            conversion_signals, summarized_at)
VALUES (:chat_number, :organization, :topic_summary, :user_score, :lead_score, :sentiment, :topics, :conversion_signals,
        :summarized_at);

-- A summary rests on the messages that were there when it was made. As chat_activity_move, PostgreSQL knows which it was.
-- name: legacy_summary_rest_on :tenant
-- in: chat_number int, last_message int
-- sqlite:
UPDATE chat_summaries SET last_message = :last_message
WHERE organization_id = :organization AND chat_number = :chat_number;
-- postgres:
UPDATE chat_summaries SET last_message = currval('messages_number_seq')
WHERE organization_id = :organization AND chat_number = :chat_number;

-- name: legacy_view_create :tenant
-- in: id uuid, article_id text, article_slug text, article_name text, article_type text, chat_id text, session_id text,
--     user_id text, visitor_id uuid, viewed_at time
INSERT INTO article_views (organization_id, id, article_id, article_slug, article_name, article_type, chat_id, session_id,
                           user_id, visitor_id, viewed_at)
VALUES (:organization, :id, :article_id, :article_slug, :article_name, :article_type, :chat_id, :session_id, :user_id,
        :visitor_id, :viewed_at);

-- name: legacy_web_mention_create :tenant
-- in: id uuid, article_url text, article_title text, chat_id text, session_id text, visitor_id uuid, search_query text,
--     metadata json, mentioned_at time, created_at time, clicked_at time
INSERT INTO web_mentions (organization_id, id, article_url, article_title, chat_id, session_id, visitor_id, search_query,
                          metadata, mentioned_at, created_at, clicked_at)
VALUES (:organization, :id, :article_url, :article_title, :chat_id, :session_id, :visitor_id, :search_query, :metadata,
        :mentioned_at, :created_at, :clicked_at);
