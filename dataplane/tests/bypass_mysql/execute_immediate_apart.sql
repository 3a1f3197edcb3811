-- trick: EXECUTE IMMEDIATE of something put together
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

execute immediate concat('select substr(pan, 1, 8), ', 'substr(pan, 9) from cards where id = 1')
