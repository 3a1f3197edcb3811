-- trick: table_to_xml
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select table_to_xml('cards', true, false, '')
