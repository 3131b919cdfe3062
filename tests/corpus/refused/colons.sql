SELECT :'x', :"x;", :'y;', :;
SELECT :::x;SELECT a:=b;SELECT ::;
SELECT : 'z;';SELECT :(;);
