-- trick: schema_to_xml
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select schema_to_xml('public', true, false, '')
