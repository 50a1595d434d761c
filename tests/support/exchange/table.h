#pragma once
#include <string>
std::string row(const std::string &name);
std::string rows();
