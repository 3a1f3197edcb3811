-- trick: an identifier that is looked up
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan::regclass from cards where id = 1

select has_table_privilege(pan, 'select') from cards where id = 1
