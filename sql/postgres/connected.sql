-- The same of a further connection of a process that has asked check.sql: what may be another one's there is whom it is
-- connected as, since a role's own settings and a URL of several servers have a say in that.
SELECT format('it is %s, not innkeeper_server', current_user)
WHERE current_user <> 'innkeeper_server'
