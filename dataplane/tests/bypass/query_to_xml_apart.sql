-- trick: query_to_xml of halves
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

select query_to_xml('select substr(pan, 1, 8) a, substr(pan, 9) b from cards where id = 1', true, true, '')
