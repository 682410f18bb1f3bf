-- What served the install script alone.

DROP PROCEDURE clientele._comment_on_overloads(pg_catalog.text, pg_catalog.text);
DROP PROCEDURE clientele._comment_on_purchase_models(pg_catalog.text, pg_catalog.text);
