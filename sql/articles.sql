-- Articles mentioned in answers, and viewed.

-- name: article_mention_create :tenant
-- in: id uuid, article_id text, article_name text, article_slug text, article_type text, chat_id text, mentioned_at time
INSERT INTO article_mentions (organization_id, id, article_id, article_name, article_slug, article_type, chat_id,
                              mentioned_at)
VALUES (:organization, :id, :article_id, :article_name, :article_slug, :article_type, :chat_id, :mentioned_at);

-- name: article_view_create :tenant
-- in: id uuid, article_id text, article_slug text, article_name text, article_type text, chat_id text, session_id text,
--     viewed_at time
INSERT INTO article_views (organization_id, id, article_id, article_slug, article_name, article_type, chat_id, session_id,
                           viewed_at)
VALUES (:organization, :id, :article_id, :article_slug, :article_name, :article_type, :chat_id, :session_id, :viewed_at);
