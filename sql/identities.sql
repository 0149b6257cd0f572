-- Identities: who a person is to an OpenID Connect provider, and what their verified e-mail opens the first time.

-- name: identity_by_subject :system
-- in:  issuer text, subject text
-- out: account_id uuid
SELECT i.account_id FROM identities AS i WHERE i.issuer = :issuer AND i.subject = :subject;

-- name: identity_of_account :system
-- in:  issuer text, account_id uuid
-- out: subject text
SELECT i.subject FROM identities AS i WHERE i.account_id = :account_id AND i.issuer = :issuer;

-- name: identity_create :system
-- in: issuer text, subject text, account_id uuid, now time
INSERT INTO identities (issuer, subject, account_id, created_at) VALUES (:issuer, :subject, :account_id, :now);

-- The oldest invitation of an e-mail that is still open, to where the account (if there is one) does not belong yet.
-- name: invitation_by_email :system
-- in:  email text, account_id uuid, now time
-- out: organization_id uuid, user_id uuid
SELECT i.organization_id, i.user_id
FROM invitations AS i
JOIN organizations AS o ON o.id = i.organization_id
JOIN users AS u ON u.organization_id = i.organization_id AND u.id = i.user_id
WHERE u.email = :email AND u.account_id IS NULL AND u.role <> 'Visitor' AND i.expires_at > :now AND o.status = 'active'
  AND NOT EXISTS (
	SELECT 1 FROM users AS m WHERE m.organization_id = i.organization_id AND m.account_id = :account_id
  )
ORDER BY i.number
LIMIT 1;
