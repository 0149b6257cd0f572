-- Accounts: people who can sign in, before it is known to which organization. Each has a password or an identity.

-- name: account_by_email :system
-- in:  email text
-- out: id uuid, password_hash text
SELECT a.id, a.password_hash FROM accounts AS a WHERE a.email = :email;

-- name: account_by_id :system
-- in:  id uuid
-- out: email text, password_hash text
SELECT a.email, a.password_hash FROM accounts AS a WHERE a.id = :id;

-- name: account_create :system
-- in: id uuid, email text, name text, password_hash text, now time
INSERT INTO accounts (id, email, name, password_hash, created_at, updated_at)
VALUES (:id, :email, :name, :password_hash, :now, :now);

-- name: account_set_password :system
-- in: id uuid, password_hash text, now time
UPDATE accounts SET password_hash = :password_hash, updated_at = :now WHERE id = :id;

-- name: account_delete :system
-- in: id uuid
DELETE FROM accounts WHERE id = :id;

-- name: identities_delete_of_account :system
-- in: account_id uuid
DELETE FROM identities WHERE account_id = :account_id;
