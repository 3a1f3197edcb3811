-- trick: a blob of dynamic columns
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select column_json(column_create('a', pan)), column_get(column_create('a', pan), 'a' as char) from cards
