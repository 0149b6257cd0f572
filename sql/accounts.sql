-- Accounts: people who can sign in, before it is known to which organization.

-- name: account_by_email :system
-- in:  email text
-- out: id uuid
SELECT a.id FROM accounts AS a WHERE a.email = :email;

-- name: account_create :system
-- in: id uuid, email text, name text, password_hash text, now time
INSERT INTO accounts (id, email, name, password_hash, created_at, updated_at)
VALUES (:id, :email, :name, :password_hash, :now, :now);
