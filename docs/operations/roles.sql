-- Roles for webpush, each with a password of its own. Run once by an administrator, in the database that will hold
-- everything:
--
--   SECRETS=/etc/webpush/secrets psql --set ON_ERROR_STOP=1 --file roles.sql postgres://admin@db.example.net/push
--
-- The folder SECRETS has a file for each password. The roles have no rights yet but the owner's, to make schemas:
-- `webpush store migrate` as the owner makes them, `webpush store grant` as the owner gives the others theirs.

\set owner `cat "$SECRETS/owner_password"`
\set sender `cat "$SECRETS/sender_password"`
\set worker `cat "$SECRETS/worker_password"`
\set reader `cat "$SECRETS/reader_password"`

create role push_owner login password :'owner';
create role push_sender login password :'sender';
create role push_worker login password :'worker';
create role push_reader login password :'reader';

grant create on database :"DBNAME" to push_owner;
