-- trick: query_to_xml
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select query_to_xml('select pan from cards', true, false, '')
