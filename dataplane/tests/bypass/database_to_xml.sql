-- trick: database_to_xml
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select database_to_xml(true, false, '')
